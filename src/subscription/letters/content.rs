//! Bytes as operators see them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Bytes, in the clearest form they have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// They are JSON.
    Json(Value),
    /// They are UTF-8.
    Text(String),
    /// They are neither.
    Base64(String),
}

impl Content {
    /// To be read: JSON decoded.
    #[must_use]
    pub fn shown(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).map_or_else(|_| Self::kept(bytes), Self::Json)
    }

    /// To be kept: every byte can be had back.
    #[must_use]
    pub fn kept(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_are_shown_as_clearly_as_they_can_be_and_kept_as_they_are() {
        assert_eq!(Content::shown(b"{\"a\": 1}"), Content::Json(json!({ "a": 1 })));
        assert_eq!(Content::shown(b"no json"), Content::Text("no json".to_owned()));
        assert_eq!(Content::kept(b"{\"a\": 1}"), Content::Text("{\"a\": 1}".to_owned()));
        assert_eq!(Content::shown(b"\xff\xfe"), Content::Base64("//4=".to_owned()));
        assert_eq!(serde_json::to_value(Content::kept(b"x")).unwrap(), json!({ "text": "x" }));
    }
}
