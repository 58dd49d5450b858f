//! Facts of the relay.

use std::time::Duration;

use super::names;
use crate::contracts::Position;

/// Where one partition stands, whoever publishes it and whether anybody does: the log's head, the checkpoint, and the age
/// of the oldest event between them.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub fn stands(partition: i16, head: Position, acknowledged: Position, oldest: Duration) {
    let partition = partition.to_string();
    metrics::gauge!(names::RELAY_POSITION, "partition" => partition.clone()).set(acknowledged as f64);
    metrics::gauge!(names::RELAY_LAG, "partition" => partition.clone()).set((head - acknowledged).max(0) as f64);
    metrics::gauge!(names::RELAY_LAG_SECONDS, "partition" => partition).set(oldest.as_secs_f64());
}

/// The broker has acknowledged a record.
pub fn acknowledged(topic: &str) {
    metrics::counter!(names::RELAY_RECORDS_TOTAL, "topic" => topic.to_owned()).increment(1);
}

/// A topic that had lost events has them again.
pub fn republished(topic: &str, partition: i16, events: u64) {
    metrics::counter!(names::RELAY_REPUBLISHED_TOTAL, "topic" => topic.to_owned()).increment(events);
    tracing::warn!(topic, partition, events, "what the topic had lost is published again");
}

/// The relay gives its producer up and begins anew from its checkpoint.
pub fn resumed(partition: i16, from: Position, why: &str) {
    metrics::counter!(names::RELAY_RESUMED_TOTAL).increment(1);
    tracing::warn!(partition, from, why, "the relay begins anew from its checkpoint");
}
