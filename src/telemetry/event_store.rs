//! Facts of the log.

use std::time::Duration;

use super::names;

/// A writer's batch is durable.
pub fn committed(writer: usize, events: usize, took: Duration) {
    metrics::counter!(names::COMMITS_TOTAL).increment(1);
    metrics::counter!(names::COMMIT_EVENTS_TOTAL).increment(events as u64);
    metrics::histogram!(names::COMMIT_SECONDS).record(took);
    tracing::trace!(writer, events, ?took, "committed");
}

/// Appends of a batch met others of the same stream.
pub fn conflicted(appends: usize) {
    metrics::counter!(names::APPEND_CONFLICTS_TOTAL).increment(appends as u64);
    tracing::debug!(appends, "appends met a conflict");
}

/// The outcome of a batch was lost; the same batch is sent again.
pub fn resent(writer: usize, why: &str) {
    metrics::counter!(names::APPEND_RESENT_TOTAL).increment(1);
    tracing::warn!(writer, why, "the outcome of a batch was lost; it is sent again");
}

/// The log cannot be written.
pub fn unavailable(writer: usize, why: &str) {
    tracing::warn!(writer, why, "the log cannot be written");
}

/// A command was accepted: what it decided is durable.
pub fn command_accepted(aggregate: &'static str) {
    metrics::counter!(names::COMMANDS_ACCEPTED_TOTAL, "aggregate" => aggregate).increment(1);
}

/// A command was not done.
pub fn command_refused(aggregate: &'static str, reason: &'static str) {
    metrics::counter!(names::COMMANDS_REFUSED_TOTAL, "aggregate" => aggregate, "reason" => reason).increment(1);
    tracing::debug!(aggregate, reason, "command refused");
}
