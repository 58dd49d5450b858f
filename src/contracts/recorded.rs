//! An event as stored and as published: payload still text.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Place in a log partition: 1..n without holes. 0 stands for "before the first".
pub type Position = i64;

/// Namespace of event ids. Changing it makes every consumer see all events anew.
pub const EVENT_IDS: Uuid = Uuid::from_u128(0x6f72_646f_0000_5000_8000_6576_656e_7473);

/// The id of an event: derived from its place in its stream, so that it is the same wherever it is computed.
#[must_use]
pub fn event_id(stream_id: &str, version: i32) -> Uuid {
    let mut name = Vec::with_capacity(stream_id.len() + 5);
    name.extend_from_slice(stream_id.as_bytes());
    name.push(0);
    name.extend_from_slice(&version.to_be_bytes());
    Uuid::new_v5(&EVENT_IDS, &name)
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct RecordedEvent {
    /// Log partition; the topic partition of the same number holds it, too.
    pub partition: i16,
    /// Place in that partition.
    pub position: Position,
    /// The append that wrote it.
    pub append_id: Uuid,
    /// The stream it belongs to, such as `order:<id>`.
    pub stream_id: String,
    /// Its number in that stream, 1..n.
    pub version: i32,
    /// What placed it, and the Kafka record's key.
    pub partition_key: String,
    /// Its name, such as `order.created`.
    pub event_type: String,
    /// Version of its payload's schema.
    pub schema_version: i16,
    /// JSON text.
    pub payload: String,
    /// [`Meta`] as JSON text; never published in the value.
    pub meta: String,
    /// When it was appended, by Postgres' clock; rises with the position.
    pub recorded_at: DateTime<Utc>,
}

impl RecordedEvent {
    /// Its id, the same for every reader.
    #[must_use]
    pub fn id(&self) -> Uuid {
        event_id(&self.stream_id, self.version)
    }

    /// What accompanied it. A meta that cannot be read is empty: it never decides about the event.
    #[must_use]
    pub fn meta(&self) -> Meta {
        serde_json::from_str(&self.meta).unwrap_or_default()
    }

    /// Where it is.
    #[must_use]
    pub fn token(&self) -> PositionToken {
        PositionToken { partition: self.partition, position: self.position }
    }
}

/// What accompanies an event besides its payload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Meta {
    /// Hash of the fields the client sent, where the event answers a request that may be repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_hash: Option<String>,
    /// What all events of one story share: the id of the first request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Uuid>,
    /// The event or request that caused this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// W3C trace context of the origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Meta {
    /// Its JSON text, as stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("meta has string keys only, so it is JSON")
    }
}

/// `{partition}:{position}`: what a writer is handed, and a reader may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionToken {
    /// Log partition.
    pub partition: i16,
    /// Position in it.
    pub position: Position,
}

impl fmt::Display for PositionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.position)
    }
}

/// Not a position token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a position such as 3:1024, as found in the Ordo-Position header")]
pub struct InvalidPosition(String);

impl FromStr for PositionToken {
    type Err = InvalidPosition;
    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        text.split_once(':')
            .and_then(|(partition, position)| Some((partition.parse().ok()?, position.parse().ok()?)))
            .filter(|(partition, position)| *partition >= 0 && *position >= 0)
            .map(|(partition, position)| Self { partition, position })
            .ok_or_else(|| InvalidPosition(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_never_changes() {
        assert_eq!(event_id("order:1", 1), Uuid::new_v5(&EVENT_IDS, b"order:1\0\0\0\0\x01"));
        assert_ne!(event_id("order:1", 1), event_id("order:1", 2));
        assert_ne!(event_id("order:1", 1), event_id("order:2", 1));
    }

    #[test]
    fn a_position_token_is_partition_and_position() {
        let token: PositionToken = "3:1024".parse().unwrap();
        assert_eq!((token.partition, token.position, token.to_string().as_str()), (3, 1024, "3:1024"));
        for bad in ["", "3", "3:", ":1", "-1:4", "1:-4", "a:b", "1:2:3"] {
            assert!(bad.parse::<PositionToken>().is_err(), "{bad}");
        }
    }
}
