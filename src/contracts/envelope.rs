//! A recorded event as a Kafka record: `CloudEvents` 1.0 in binary mode, the value being the plain JSON payload.
//!
//! Source: `CloudEvents` 1.0, Kafka protocol binding, binary content mode.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::{Position, RecordedEvent, event_id};

/// What every record names as its source.
pub const SOURCE: &str = "/ordo";
/// Header: the event's id, the same on every publication.
pub const ID: &str = "ce_id";
/// Header: the event's type.
pub const TYPE: &str = "ce_type";
/// Header: the stream.
pub const SUBJECT: &str = "ce_subject";
/// Header: the event's number in its stream.
pub const STREAM_VERSION: &str = "ce_streamversion";
/// Header: the position in the log partition, 20 digits, since the extension compares as text.
pub const SEQUENCE: &str = "ce_sequence";
/// Header: position of the record before this one in the same topic and partition; 0 for the first.
pub const PREVIOUS: &str = "ordo_prev";
/// Header: when the event was recorded.
pub const TIME: &str = "ce_time";
/// Header: version of the payload's schema.
pub const SCHEMA_VERSION: &str = "ce_schemaversion";

/// The headers of one record, in the order they are written.
#[must_use]
pub fn headers(event: &RecordedEvent, previous: Option<Position>) -> Vec<(&'static str, String)> {
    let meta = event.meta();
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("ce_specversion", "1.0".to_owned()),
        (ID, event.id().to_string()),
        ("ce_source", SOURCE.to_owned()),
        (TYPE, event.event_type.clone()),
        (SUBJECT, event.stream_id.clone()),
        (TIME, event.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        (SCHEMA_VERSION, event.schema_version.to_string()),
        ("ce_dataschema", format!("/schemas/{}/{}", event.event_type, event.schema_version)),
        (STREAM_VERSION, event.version.to_string()),
        (SEQUENCE, format!("{:020}", event.position)),
    ];
    headers.extend(previous.map(|previous| (PREVIOUS, previous.to_string())));
    headers.extend(meta.correlation_id.map(|id| ("ce_correlationid", id.to_string())));
    headers.extend(meta.causation_id.map(|id| ("ce_causationid", id.to_string())));
    if let Some(traceparent) = meta.traceparent {
        headers.push(("ce_traceparent", traceparent.clone()));
        headers.push(("traceparent", traceparent));
    }
    headers
}

/// What a consumer needs of a record's headers.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The event's id.
    pub event_id: Uuid,
    /// Its name.
    pub event_type: String,
    /// Its stream.
    pub stream_id: String,
    /// Its number in that stream.
    pub version: i32,
    /// Version of its payload's schema.
    pub schema_version: i16,
    /// Its place in the log partition of the record's own number.
    pub position: Position,
    /// Position of the record before it in this topic and partition; absent on mirrored topics.
    pub previous: Option<Position>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What all events of one story share.
    pub correlation_id: Option<Uuid>,
    /// W3C trace context of the origin.
    pub traceparent: Option<String>,
}

/// Why a record's headers are not an event's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A header every event has is absent.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// A header does not hold what it should.
    #[error("the header {0} cannot be read: {1:?}")]
    Unreadable(&'static str, String),
    /// The id is not the one that stream and version give.
    #[error("the id {found} is not that of version {version} of {stream_id}")]
    ForeignId {
        /// The id in the header.
        found: Uuid,
        /// The stream in the header.
        stream_id: String,
        /// The version in the header.
        version: i32,
    },
}

impl Envelope {
    /// Reads an event's headers from a lookup by name.
    ///
    /// # Errors
    /// [`Malformed`], naming the header.
    pub fn read<'a>(header: impl Fn(&str) -> Option<&'a [u8]>) -> Result<Self, Malformed> {
        let optional = |name: &'static str| header(name).map(|value| text(name, value)).transpose();
        let required = |name: &'static str| optional(name)?.ok_or(Malformed::Missing(name));
        let envelope = Self {
            event_id: parsed(ID, &required(ID)?)?,
            event_type: required(TYPE)?,
            stream_id: required(SUBJECT)?,
            version: parsed(STREAM_VERSION, &required(STREAM_VERSION)?)?,
            schema_version: parsed(SCHEMA_VERSION, &required(SCHEMA_VERSION)?)?,
            position: parsed(SEQUENCE, &required(SEQUENCE)?)?,
            previous: optional(PREVIOUS)?.map(|text| parsed(PREVIOUS, &text)).transpose()?,
            recorded_at: parsed(TIME, &required(TIME)?)?,
            correlation_id: optional("ce_correlationid")?.and_then(|text| text.parse().ok()),
            traceparent: optional("ce_traceparent")?,
        };
        if envelope.event_id == event_id(&envelope.stream_id, envelope.version) {
            Ok(envelope)
        } else {
            Err(Malformed::ForeignId {
                found: envelope.event_id,
                stream_id: envelope.stream_id,
                version: envelope.version,
            })
        }
    }
}

fn text(name: &'static str, value: &[u8]) -> Result<String, Malformed> {
    std::str::from_utf8(value)
        .map(str::to_owned)
        .map_err(|_| Malformed::Unreadable(name, String::from_utf8_lossy(value).chars().take(80).collect()))
}

fn parsed<T: std::str::FromStr>(name: &'static str, text: &str) -> Result<T, Malformed> {
    text.parse().map_err(|_| Malformed::Unreadable(name, text.chars().take(80).collect()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::contracts::Meta;

    fn event() -> RecordedEvent {
        RecordedEvent {
            partition: 3,
            position: 1024,
            append_id: Uuid::nil(),
            stream_id: "order:7".into(),
            version: 2,
            partition_key: "7".into(),
            event_type: "order.confirmed".into(),
            schema_version: 1,
            payload: "{}".into(),
            meta: Meta { correlation_id: Some(Uuid::from_u128(9)), ..Meta::default() }.to_json(),
            recorded_at: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
        }
    }

    fn written() -> HashMap<&'static str, String> {
        headers(&event(), Some(1000)).into_iter().collect()
    }

    fn read(headers: &HashMap<&'static str, String>) -> Result<Envelope, Malformed> {
        Envelope::read(|name| headers.get(name).map(String::as_bytes))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let envelope = read(&written()).unwrap();
        let event = event();
        assert_eq!(envelope.event_id, event.id());
        assert_eq!(
            (envelope.stream_id, envelope.version, envelope.position, envelope.previous, envelope.recorded_at),
            (event.stream_id, event.version, event.position, Some(1000), event.recorded_at)
        );
        assert_eq!(envelope.correlation_id, Some(Uuid::from_u128(9)));
    }

    #[test]
    fn a_record_without_an_events_headers_says_which_is_missing() {
        for name in [ID, TYPE, SUBJECT, STREAM_VERSION, SEQUENCE, TIME, SCHEMA_VERSION] {
            let mut headers = written();
            headers.remove(name);
            assert_eq!(read(&headers), Err(Malformed::Missing(name)));
        }
    }

    #[test]
    fn an_id_that_is_not_its_streams_is_foreign() {
        let mut headers = written();
        headers.insert(ID, Uuid::from_u128(1).to_string());
        assert!(matches!(read(&headers), Err(Malformed::ForeignId { .. })));
    }
}
