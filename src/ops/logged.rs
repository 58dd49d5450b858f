//! An event of the log as operators see it.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::mask::Mask;
use crate::contracts::RecordedEvent;

/// Longest payload that is shown, in bytes; a longer one is told by its length.
const SHOWN: usize = 16 << 10;

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Logged {
    /// Its id.
    pub event_id: Uuid,
    /// Its type.
    pub event_type: String,
    /// Version of its payload's schema.
    pub schema_version: i16,
    /// Its stream.
    pub stream_id: String,
    /// Its number there.
    pub version: i32,
    /// Log partition, and that of the topic.
    pub partition: i16,
    /// Its position there.
    pub position: i64,
    /// When it was appended.
    pub recorded_at: DateTime<Utc>,
    /// The story it belongs to: the id of the first request.
    pub correlation_id: Option<Uuid>,
    /// Its payload, masked; its length in words if it is longer than 16 KiB.
    pub payload: Value,
}

impl Logged {
    /// As somebody may see it.
    #[must_use]
    pub fn of(event: &RecordedEvent, mask: Mask) -> Self {
        let payload = match event.payload.len() {
            bytes if bytes > SHOWN => Value::String(format!("{bytes} bytes")),
            _ => mask.value(serde_json::from_str(&event.payload).unwrap_or(Value::Null)),
        };
        Self {
            event_id: event.id(),
            event_type: event.event_type.clone(),
            schema_version: event.schema_version,
            stream_id: event.stream_id.clone(),
            version: event.version,
            partition: event.partition,
            position: event.position,
            recorded_at: event.recorded_at,
            correlation_id: event.meta().correlation_id,
            payload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn event(payload: String) -> RecordedEvent {
        RecordedEvent {
            partition: 0,
            position: 1,
            append_id: Uuid::nil(),
            stream_id: "order:1".to_owned(),
            version: 1,
            partition_key: "1".to_owned(),
            event_type: "order.created".to_owned(),
            schema_version: 1,
            payload,
            meta: "{}".to_owned(),
            recorded_at: clock::now(),
        }
    }

    #[test]
    fn a_payload_of_any_length_is_a_small_answer() {
        let huge = format!(r#"{{"note":"{}"}}"#, "x".repeat(1 << 20));
        assert_eq!(Logged::of(&event(huge.clone()), Mask::Nothing).payload, format!("{} bytes", huge.len()));
        assert_eq!(Logged::of(&event(r#"{"note":"x"}"#.to_owned()), Mask::Nothing).payload["note"], "x");
        assert_eq!(Logged::of(&event("rubbish".to_owned()), Mask::Nothing).payload, Value::Null);
    }
}
