//! What of a customer operators see without saying why: nothing by which one could be known, but enough to tell two apart.

use std::sync::LazyLock;

use rand::Rng;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::access::{Caller, Role};
use super::action::Action;
use super::actions::RevealPersonal;
use super::{Context, Unanswered};
use crate::subscription::letters::Content;

/// Made at start, kept nowhere.
static SECRET: LazyLock<[u8; 32]> = LazyLock::new(|| rand::rng().random());

const REVEALED: &str = include_str!("sql/revealed.sql");

/// Fields that say who a customer is, wherever they stand in a payload.
const PERSONAL: &[&str] = &["userId", "user", "email", "name", "address", "phone", "to", "recipient"];

/// How much is hidden from somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// Every text and number of a payload: its shape is left.
    Values,
    /// Fields that say who a customer is.
    Personal,
    /// Nothing: somebody has said why.
    Nothing,
}

impl Mask {
    /// What a caller is shown.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        if caller.role >= Role::Operator { Self::Personal } else { Self::Values }
    }

    /// What the caller is shown of `subject`: all of it, if `revealed` is the operation by which they said why.
    ///
    /// # Errors
    /// [`Unanswered::Invalid`] if it is not, or is too old.
    pub async fn revealed(subject: &str, revealed: Option<Uuid>, context: &Context) -> Result<Self, Unanswered> {
        let Some(operation) = revealed else { return Ok(Self::of(&context.caller)) };
        let is_said: bool = sqlx::query_scalar(REVEALED)
            .bind(operation)
            .bind(&context.caller.name)
            .bind(RevealPersonal::NAME)
            .bind(subject)
            .fetch_one(&context.db)
            .await?;
        if is_said {
            return Ok(Self::Nothing);
        }
        Err(Unanswered::Invalid(format!(
            "revealed: you have not said within ten minutes why you must see {subject}; `ordo personal reveal {subject} \
             --reason …` does, and prints the id to give here"
        )))
    }

    /// A text that says who a customer is, as a sign: the same one looks the same in all answers of one process, and
    /// guessing ids finds none, since the sign is made with a secret that only the process has.
    #[must_use]
    pub fn text(self, text: &str) -> String {
        if self == Self::Nothing {
            return text.to_owned();
        }
        let digest = Sha256::new().chain_update(*SECRET).chain_update(text).finalize();
        format!("•••{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2])
    }

    /// A payload as it may be shown.
    #[must_use]
    pub fn value(self, value: Value) -> Value {
        match value {
            value if self == Self::Nothing => value,
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

    /// A JSON patch as it may be shown: what it writes into a personal field is one.
    #[must_use]
    pub fn patch(self, patch: Value) -> Value {
        let step = |mut step: Value| {
            let field = step["path"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
            let is_personal = self != Self::Nothing && PERSONAL.contains(&field);
            if let Some(value) = step.get_mut("value") {
                *value = if is_personal { self.hidden(value) } else { self.value(value.take()) };
            }
            step
        };
        match patch {
            Value::Array(steps) => Value::Array(steps.into_iter().map(step).collect()),
            other => self.value(other),
        }
    }

    /// Bytes as they may be shown.
    #[must_use]
    pub fn content(self, content: Content) -> Content {
        match content {
            Content::Json(value) => Content::Json(self.value(value)),
            Content::Text(text) if self == Self::Values => Content::Text(self.text(&text)),
            Content::Base64(text) if self == Self::Values => Content::Text(self.text(&text)),
            content => content,
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
    fn what_a_patch_writes_into_a_personal_field_is_personal() {
        let patch = json!([
            { "op": "replace", "path": "/userId", "value": "ada" },
            { "op": "add", "path": "/items/0", "value": { "productId": "mug" } },
        ]);
        let shown = Mask::of(&caller(Role::Operator)).patch(patch.clone());
        assert!(!shown.to_string().contains("ada"), "{shown}");
        assert_eq!(shown[1], patch[1]);
        assert_eq!(Mask::Nothing.patch(patch.clone()), patch);
    }

    #[test]
    fn who_guesses_an_id_cannot_tell_whether_it_is_the_one() {
        let digest = Sha256::digest("ada");
        let guessed = format!("•••{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2]);
        assert_ne!(Mask::Personal.text("ada"), guessed);
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
