//! Facts of the log.

use std::time::Duration;

use super::names;
use super::trace::{Span, trace_id};
use crate::contracts::{Meta, Position};

/// A batch sets out with a writer; its oldest append has waited so long.
pub fn set_out(writer: usize, appends: usize, wait: Duration) {
    metrics::histogram!(names::APPEND_WAIT_SECONDS, "writer" => writer.to_string()).record(wait);
    tracing::trace!(writer, appends, ?wait, "batch sets out");
}

/// A writer's batch is durable.
#[expect(clippy::cast_precision_loss, reason = "a histogram counts in floats")]
pub fn committed(writer: usize, events: usize, took: Duration) {
    metrics::counter!(names::COMMITS_TOTAL).increment(1);
    metrics::counter!(names::COMMIT_EVENTS_TOTAL).increment(events as u64);
    metrics::histogram!(names::COMMIT_BATCH_EVENTS).record(events as f64);
    metrics::histogram!(names::COMMIT_SECONDS).record(took);
    tracing::trace!(writer, events, ?took, "committed");
}

/// One append was answered: whether it met another one of its stream, or why it was not written.
pub fn append_answered(span: &Span, conflict: Result<bool, &impl std::fmt::Display>) {
    match conflict {
        Ok(false) => {}
        Ok(true) => span.word("ordo.outcome", "conflict"),
        Err(why) => span.failed(why),
    }
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

/// How far the log goes.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub fn head(partition: i16, head: Position) {
    metrics::gauge!(names::LOG_HEAD, "partition" => partition.to_string()).set(head as f64);
}

/// Who was asked for what.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Kind of aggregate.
    pub aggregate: &'static str,
    /// The command.
    pub command: &'static str,
    /// Which one.
    pub stream_id: &'a str,
}

/// A command was accepted: what it decided is durable.
pub fn command_accepted(asked: Asked<'_>, version: i32, meta: &Meta, span: &Span) {
    let Asked { aggregate, command, stream_id } = asked;
    metrics::counter!(names::COMMANDS_ACCEPTED_TOTAL, "aggregate" => aggregate).increment(1);
    span.number("ordo.version", version);
    tracing::debug!(
        aggregate,
        command,
        stream_id,
        version,
        correlation_id = meta.correlation_id.map(tracing::field::display),
        trace_id = meta.traceparent.as_deref().and_then(trace_id),
        "command accepted"
    );
}

/// A command was not done.
pub fn command_refused(asked: Asked<'_>, reason: &'static str, meta: &Meta, span: &Span) {
    let Asked { aggregate, command, stream_id } = asked;
    metrics::counter!(names::COMMANDS_REFUSED_TOTAL, "aggregate" => aggregate, "reason" => reason).increment(1);
    span.word("ordo.refused", reason);
    tracing::debug!(
        aggregate,
        command,
        stream_id,
        reason,
        correlation_id = meta.correlation_id.map(tracing::field::display),
        trace_id = meta.traceparent.as_deref().and_then(trace_id),
        "command refused"
    );
}
