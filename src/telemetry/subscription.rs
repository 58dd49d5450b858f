//! Facts of subscriptions.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::names;
use crate::clock;
use crate::subscription::dedup::Purged;
use crate::subscription::pass::Passed;
use crate::subscription::{Failure, Lane};

/// A batch took effect; `newest` is when its last event was appended.
pub fn batch_applied(lane: &Lane, passed: &Passed, newest: Option<DateTime<Utc>>, took: Duration) {
    let name = || lane.subscription.clone();
    metrics::counter!(names::EVENTS_APPLIED_TOTAL, "subscription" => name()).increment(passed.applied);
    duplicates(lane, "ledger", passed.duplicates);
    duplicates(lane, "guard", passed.regressions);
    metrics::histogram!(names::BATCH_SECONDS, "subscription" => name()).record(took);
    if let Some(delay) = newest.and_then(|at| (clock::now() - at).to_std().ok()) {
        metrics::gauge!(
            names::SUBSCRIPTION_DELAY_SECONDS, "subscription" => name(), "partition" => lane.partition.to_string()
        )
        .set(delay.as_secs_f64());
    }
    tracing::trace!(subscription = lane.subscription, partition = lane.partition, ?passed, ?took, "batch applied");
}

/// Events known already.
pub fn duplicates(lane: &Lane, known_by: &'static str, events: u64) {
    if events > 0 {
        let name = lane.subscription.clone();
        metrics::counter!(names::EVENTS_DUPLICATE_TOTAL, "subscription" => name, "known_by" => known_by)
            .increment(events);
        tracing::debug!(subscription = lane.subscription, known_by, events, "duplicates");
    }
}

/// Events that a topic lacked came from the log.
pub fn filled(lane: &Lane, events: u64) {
    if events > 0 {
        metrics::counter!(names::EVENTS_FILLED_TOTAL, "subscription" => lane.subscription.clone()).increment(events);
        super::alarm::raise(
            super::alarm::TOPIC_FILLED,
            &format!("{} partition {}", lane.source, lane.partition),
            &format!("{events} events were missing and came from the log"),
        );
    }
}

/// The offsets of a topic begin anew: it was made again. Positions tell what is known, so nothing is applied twice.
pub fn made_again(lane: &Lane, next_offset: i64) {
    tracing::warn!(lane = %lane, expected = next_offset, "offsets begin anew: the topic was made again");
    metrics::counter!(names::TOPICS_MADE_AGAIN_TOTAL, "subscription" => lane.subscription.clone()).increment(1);
}

/// The ledger forgot what it need not remember any longer.
pub fn ledger_purged(purged: &Purged) {
    metrics::counter!(names::LEDGER_PURGED_TOTAL).increment(purged.rows);
    if purged.rows > 0 {
        tracing::debug!(?purged, "the ledger was purged");
    }
}

/// A batch was rolled back.
pub fn batch_failed(lane: &Lane, events: usize, tries: u32, failure: &Failure) {
    let (name, class) = (lane.subscription.clone(), failure.class());
    metrics::counter!(names::BATCHES_FAILED_TOTAL, "subscription" => name, "class" => class).increment(1);
    tracing::warn!(
        subscription = lane.subscription,
        partition = lane.partition,
        events,
        tries,
        class,
        error = failure.chain(),
        "batch rolled back"
    );
}

/// An event, or a record that is none, was given up.
pub fn dead_lettered(lane: &Lane, failure: &Failure) {
    let (name, class) = (lane.subscription.clone(), failure.class());
    metrics::counter!(names::DEAD_LETTERS_TOTAL, "subscription" => name, "class" => class).increment(1);
    tracing::error!(
        subscription = lane.subscription,
        partition = lane.partition,
        class,
        error = failure.chain(),
        "event given up; see its dead letter"
    );
}

/// A record that is no event of the log goes to the dead letters.
pub fn foreign(lane: &Lane, offset: i64, reason: &str) {
    let name = lane.subscription.clone();
    metrics::counter!(names::DEAD_LETTERS_TOTAL, "subscription" => name, "class" => "foreign").increment(1);
    tracing::error!(
        subscription = lane.subscription,
        topic = lane.source,
        partition = lane.partition,
        offset,
        reason,
        "a record is no event of the log; see its dead letter"
    );
}

/// A command of a consumer was answered.
pub fn command_answered(subscription: &str, command: &'static str, outcome: &'static str) {
    metrics::counter!(
        names::CONSUMER_COMMANDS_TOTAL,
        "subscription" => subscription.to_owned(), "command" => command, "outcome" => outcome
    )
    .increment(1);
    tracing::trace!(subscription, command, outcome, "command answered");
}

/// How many records a subscription has not read yet.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub fn lag(subscription: &str, partition: i16, records: i64) {
    metrics::gauge!(
        names::SUBSCRIPTION_LAG, "subscription" => subscription.to_owned(), "partition" => partition.to_string()
    )
    .set(records.max(0) as f64);
}
