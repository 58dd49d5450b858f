//! What of a customer operators see without saying why: nothing by which one could be known, but enough to tell two apart.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::access::{Caller, Role};

/// Fields that say who a customer is, wherever they stand in a payload.
const PERSONAL: &[&str] = &["userId", "user", "email", "name", "address", "phone", "to", "recipient"];

/// How much is hidden from somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// Every text and number of a payload: its shape is left.
    Values,
    /// Fields that say who a customer is.
    Personal,
}

impl Mask {
    /// What a caller is shown.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        if caller.role >= Role::Operator { Self::Personal } else { Self::Values }
    }

    /// A text that says who a customer is: the same one always looks the same.
    #[must_use]
    pub fn text(self, text: &str) -> String {
        let digest = Sha256::digest(text);
        format!("•••{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2])
    }

    /// A payload as it may be shown.
    #[must_use]
    pub fn value(self, value: Value) -> Value {
        match value {
            Value::Object(fields) => {
                let masked = fields.into_iter().map(|(name, value)| {
                    let is_personal = PERSONAL.contains(&name.as_str());
                    let value = if is_personal { self.hidden(&value) } else { self.value(value) };
                    (name, value)
                });
                Value::Object(masked.collect())
            }
            Value::Array(values) => Value::Array(values.into_iter().map(|value| self.value(value)).collect()),
            Value::String(_) | Value::Number(_) if self == Self::Values => self.hidden(&value),
            value => value,
        }
    }

    fn hidden(self, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::String(text) => Value::String(self.text(text)),
            other => Value::String(self.text(&other.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn caller(role: Role) -> Caller {
        Caller { name: "ada".to_owned(), role }
    }

    #[test]
    fn an_operator_sees_what_was_ordered_and_not_by_whom() {
        let payload = json!({ "userId": "ada@example.org", "items": [{ "productId": "mug", "quantity": 2 }] });
        let shown = Mask::of(&caller(Role::Operator)).value(payload.clone());
        assert_eq!(shown["items"], payload["items"]);
        assert!(!shown.to_string().contains("ada"), "{shown}");
        assert_eq!(shown, Mask::of(&caller(Role::Admin)).value(payload), "the same customer looks the same");
    }

    #[test]
    fn a_viewer_sees_the_shape() {
        let payload = json!({ "items": [{ "productId": "mug", "quantity": 2, "gift": true, "note": null }] });
        let shown = Mask::of(&caller(Role::Viewer)).value(payload);
        assert!(!shown.to_string().contains("mug"), "{shown}");
        assert_eq!(shown["items"][0]["gift"], json!(true));
        assert_eq!(shown["items"][0]["note"], json!(null));
        assert!(shown["items"][0]["productId"].as_str().is_some_and(|text| text.starts_with("•••")));
    }
}
