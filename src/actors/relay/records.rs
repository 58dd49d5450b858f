//! An event as the records that go out for it.

use std::collections::{HashMap, VecDeque};

use crate::contracts::{Position, RecordedEvent, envelope};
use crate::kafka::Record;
use crate::telemetry::trace;

/// The records of one event: its stream's topic, and the topic of its own name if it has one.
pub(super) fn records_of(
    event: &RecordedEvent,
    topic: Option<&'static str>,
    previous: &HashMap<&'static str, Position>,
    mirrored: &[String],
) -> VecDeque<Record> {
    let Some(topic) = topic else {
        return VecDeque::new();
    };
    let record = |topic: &str, previous: Option<Position>| Record {
        topic: topic.to_owned(),
        partition: Some(event.partition),
        key: Some(event.partition_key.clone().into_bytes()),
        value: Some(event.payload.clone().into_bytes()),
        headers: envelope::headers(event, previous)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Some(value.into_bytes())))
            .collect(),
        at: event.recorded_at,
        span: trace::publish(topic, event),
    };
    let mut records = VecDeque::from([record(topic, Some(previous.get(topic).copied().unwrap_or(0)))]);
    if mirrored.contains(&event.event_type) {
        records.push_back(record(&event.event_type, None));
    }
    records
}
