//! The fingerprint of a letter: one name for all letters that have the same cause.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// 12 hexadecimal digits, the same for letters of the same error type, stage, event type and origin. The text of an error
/// is left out: it names ids and amounts, and so would tell every letter from every other.
#[must_use]
pub fn fingerprint(error_type: &str, stage: &str, event_type: Option<&str>, origin: &str) -> String {
    let parts = [error_type, stage, event_type.unwrap_or_default(), origin];
    // No part holds the separator, so that no two lists of parts are the same text.
    Sha256::digest(parts.join("\0")).iter().take(6).fold(String::with_capacity(12), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "src/consumers/inventory.rs:120";

    fn of(error_type: &str, stage: &str, event_type: &str, origin: &str) -> String {
        fingerprint(error_type, stage, Some(event_type), origin)
    }

    #[test]
    fn a_fingerprint_never_changes() {
        // printf 'permanent\0handle\0order.created\0src/consumers/inventory.rs:120' | sha256sum
        assert_eq!(of("permanent", "handle", "order.created", ORIGIN), "ae72158733ab");
    }

    #[test]
    fn each_part_tells_letters_apart() {
        let one = of("permanent", "handle", "order.created", ORIGIN);
        for other in [
            of("panic", "handle", "order.created", ORIGIN),
            of("permanent", "decode", "order.created", ORIGIN),
            of("permanent", "handle", "order.shipped", ORIGIN),
            of("permanent", "handle", "order.created", "src/consumers/inventory.rs:121"),
            fingerprint("permanent", "handle", None, ORIGIN),
            of("permanenth", "andle", "order.created", ORIGIN),
        ] {
            assert_eq!(other.len(), 12);
            assert_ne!(one, other);
        }
    }
}
