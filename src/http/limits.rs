//! What is checked of a request's content before anybody is asked.

use crate::domain::order::MAX_QUANTITY;

use super::error::{FieldError, Problem, Refused};

/// Longest name of a product, in characters.
const NAME_MAX: usize = 200;
/// Longest other text, in characters.
const TEXT_MAX: usize = 10_000;
/// Most attributes of a product.
const ATTRIBUTES_MAX: usize = 100;

/// Collects what is wrong, so that a caller hears all of it at once.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<FieldError>);

impl Checks {
    pub(super) fn fail(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldError::new(field, detail));
    }

    /// A quantity of 1 to 1,000,000.
    pub(super) fn quantity(&mut self, field: impl FnOnce() -> String, quantity: u32) {
        if !(1..=MAX_QUANTITY).contains(&quantity) {
            self.fail(field(), format!("{quantity} is not 1 to {MAX_QUANTITY}"));
        }
    }

    /// A name: something to read in one line.
    pub(super) fn name(&mut self, field: &str, name: &str) {
        if name.trim().is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
            self.fail(field, format!("expected 1 to {NAME_MAX} characters in one line"));
        }
    }

    /// A text. Postgres keeps no NUL in a text, and a read model would stop before it.
    pub(super) fn text(&mut self, field: &str, text: &str) {
        if text.chars().count() > TEXT_MAX || text.contains('\0') {
            self.fail(field, format!("expected at most {TEXT_MAX} characters, none of them NUL"));
        }
    }

    /// Attributes by name.
    pub(super) fn attributes(&mut self, attributes: &std::collections::BTreeMap<String, String>) {
        if attributes.len() > ATTRIBUTES_MAX {
            self.fail("attributes", format!("expected at most {ATTRIBUTES_MAX}"));
        }
        for (name, value) in attributes {
            self.name("attributes", name);
            self.text(&format!("attributes.{name}"), value);
        }
    }

    /// All that was wrong, or nothing.
    pub(super) fn done(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(check: impl FnOnce(&mut Checks)) -> usize {
        let mut checks = Checks::default();
        check(&mut checks);
        checks.0.len()
    }

    #[test]
    fn quantities_are_1_to_a_million() {
        for (quantity, wrong) in [(0, 1), (1, 0), (MAX_QUANTITY, 0), (MAX_QUANTITY + 1, 1), (u32::MAX, 1)] {
            assert_eq!(failed(|checks| checks.quantity(String::new, quantity)), wrong, "{quantity}");
        }
    }

    #[test]
    fn what_postgres_cannot_keep_is_refused() {
        assert_eq!(failed(|checks| checks.text("reason", "a\0b")), 1);
        assert_eq!(failed(|checks| checks.text("reason", "two\nlines")), 0);
        assert_eq!(failed(|checks| checks.text("reason", &"x".repeat(TEXT_MAX + 1))), 1);
        for bad in ["", "  ", "a\nb", "a\0b"] {
            assert_eq!(failed(|checks| checks.name("name", bad)), 1, "{bad:?}");
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let mut checks = Checks::default();
        checks.quantity(|| "items[0].quantity".to_owned(), 0);
        checks.quantity(|| "items[2].quantity".to_owned(), 0);
        let problem = serde_json::to_value(&*checks.done().expect_err("two are wrong")).expect("JSON");
        assert_eq!(problem["errors"][1]["field"], "items[2].quantity");
    }
}
