//! JSON patches (RFC 6902): what a replay changes in a payload, which itself stays as it came.

use serde_json::Value;

/// Longest patch, in bytes.
const BYTES: usize = 64 * 1024;

/// Why a patch cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// No patch.
    #[error("it is no JSON patch (RFC 6902): {0}")]
    NoPatch(#[source] serde_json::Error),
    /// Too long.
    #[error("it has {0} bytes, and {BYTES} are allowed")]
    TooLong(usize),
    /// Nothing to patch.
    #[error("the payload is no JSON")]
    NoJson(#[source] serde_json::Error),
    /// It does not fit the payload.
    #[error("it does not fit the payload: {0}")]
    Unfit(#[from] json_patch::PatchError),
}

/// A list of changes, applied whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch(json_patch::Patch);

impl Patch {
    /// Reads it as it is stored.
    ///
    /// # Errors
    /// [`PatchError`].
    pub fn parse(text: &str) -> Result<Self, PatchError> {
        if text.len() > BYTES {
            return Err(PatchError::TooLong(text.len()));
        }
        serde_json::from_str(text).map(Self).map_err(PatchError::NoPatch)
    }

    /// The payload as a replay sees it. Its members may come in another order, and say the same.
    ///
    /// # Errors
    /// [`PatchError`] if a path is not there, or a test of the patch fails.
    pub fn apply(&self, payload: &[u8]) -> Result<String, PatchError> {
        let mut value: Value = serde_json::from_slice(payload).map_err(PatchError::NoJson)?;
        json_patch::patch(&mut value, &self.0)?;
        Ok(value.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &[u8] = br#"{"items":[{"productId":"mug","quantity":0}],"totalAmount":9007199254740993}"#;

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let patch = r#"[{"op":"test","path":"/items/0/quantity","value":0},{"op":"replace","path":"/items/0/quantity","value":2}]"#;
        let patched = Patch::parse(patch).unwrap().apply(ORDER).unwrap();
        let expected: Value =
            serde_json::from_slice(br#"{"items":[{"productId":"mug","quantity":2}],"totalAmount":9007199254740993}"#)
                .unwrap();
        assert_eq!(serde_json::from_str::<Value>(&patched).unwrap(), expected);
    }

    #[test]
    fn what_is_no_patch_or_does_not_fit_is_told() {
        for text in ["", "{}", r#"[{"op":"invent","path":"/x"}]"#, r#"[{"op":"remove","path":"x"}]"#] {
            assert!(matches!(Patch::parse(text), Err(PatchError::NoPatch(_))), "{text}");
        }
        assert!(matches!(Patch::parse(&" ".repeat(BYTES + 1)), Err(PatchError::TooLong(_))));
        for text in [
            r#"[{"op":"remove","path":"/nothing"}]"#,
            r#"[{"op":"replace","path":"/items/1/quantity","value":1}]"#,
            r#"[{"op":"test","path":"/totalAmount","value":1}]"#,
        ] {
            let error = Patch::parse(text).unwrap().apply(ORDER).unwrap_err();
            assert!(matches!(error, PatchError::Unfit(_)), "{error}");
        }
        assert!(matches!(Patch::parse("[]").unwrap().apply(b"\xff"), Err(PatchError::NoJson(_))));
    }
}
