//! Facts of subscriptions.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::names;
use super::trace::{self, Span, trace_id};
use crate::clock;
use crate::contracts::envelope;
use crate::subscription::dedup::Purged;
use crate::subscription::pass::Passed;
use crate::subscription::{Delivered, Failure, Lane, Record};

/// The spans of the events of one pass; empty while nothing is traced.
#[derive(Debug, Default)]
pub struct Spans(HashMap<Uuid, Span>);

impl Spans {
    /// The `traceparent` of what this event leads to, if it is traced.
    #[must_use]
    pub fn traceparent(&self, event_id: Uuid) -> Option<String> {
        self.0.get(&event_id)?.traceparent()
    }

    /// The pass was rolled back.
    pub fn failed(&self, why: &impl std::fmt::Display) {
        self.0.values().for_each(|span| span.failed(why));
    }
}

/// A subscription begins to work on these events, in one transaction; `verb` says whether it decides or folds.
pub fn begun<'a>(lane: &Lane, verb: &'static str, events: impl Iterator<Item = &'a Delivered>) -> Spans {
    if !trace::is_on() {
        return Spans::default();
    }
    let span = |delivered: &Delivered| (delivered.event_id, trace::process(verb, &lane.subscription, &delivered.event));
    Spans(events.map(span).filter(|(_, span)| span.is_recording()).collect())
}

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

/// A batch was rolled back; `alone` is its only event, if it has but one.
pub fn batch_failed(lane: &Lane, events: usize, alone: Option<&Delivered>, tries: u32, failure: &Failure) {
    let (name, class) = (lane.subscription.clone(), failure.class());
    metrics::counter!(names::BATCHES_FAILED_TOTAL, "subscription" => name, "class" => class).increment(1);
    let meta = alone.map(|delivered| delivered.event.meta()).unwrap_or_default();
    tracing::warn!(
        subscription = lane.subscription,
        partition = lane.partition,
        events,
        stream_id = alone.map(|delivered| delivered.event.stream_id.as_str()),
        event_id = alone.map(|delivered| tracing::field::display(delivered.event_id)),
        correlation_id = meta.correlation_id.map(tracing::field::display),
        trace_id = meta.traceparent.as_deref().and_then(trace_id),
        tries,
        class,
        error = failure.chain(),
        "batch rolled back"
    );
}

/// An event was given up.
pub fn dead_lettered(lane: &Lane, delivered: &Delivered, failure: &Failure) {
    let (name, class) = (lane.subscription.clone(), failure.class());
    metrics::counter!(names::DEAD_LETTERS_TOTAL, "subscription" => name, "class" => class).increment(1);
    let (event, meta) = (&delivered.event, delivered.event.meta());
    tracing::error!(
        subscription = lane.subscription,
        partition = lane.partition,
        stream_id = event.stream_id,
        event_id = %delivered.event_id,
        event_type = event.event_type,
        position = event.position,
        correlation_id = meta.correlation_id.map(tracing::field::display),
        trace_id = meta.traceparent.as_deref().and_then(trace_id),
        class,
        error = failure.chain(),
        "event given up; see its dead letter"
    );
}

/// An event could not be applied now, and was set aside with its stream.
pub fn parked(lane: &Lane, delivered: &Delivered, failure: &Failure, after: Duration) {
    let (name, class) = (lane.subscription.clone(), failure.class());
    metrics::counter!(names::STREAMS_PARKED_TOTAL, "subscription" => name, "class" => class).increment(1);
    let event = &delivered.event;
    if let Failure::Gap(gap) = failure {
        super::alarm::raise(super::alarm::STREAM_GAP, &event.stream_id, &gap.to_string());
    }
    tracing::warn!(
        subscription = lane.subscription,
        partition = lane.partition,
        stream_id = event.stream_id,
        event_id = %delivered.event_id,
        event_type = event.event_type,
        correlation_id = event.meta().correlation_id.map(tracing::field::display),
        class,
        error = failure.chain(),
        retry_after = ?after,
        "stream set aside; its head is tried again later"
    );
}

/// An event that had been set aside has taken effect.
pub fn parked_applied(lane: &Lane, delivered: &Delivered) {
    metrics::counter!(names::EVENTS_APPLIED_TOTAL, "subscription" => lane.subscription.clone()).increment(1);
    tracing::info!(
        subscription = lane.subscription,
        stream_id = delivered.event.stream_id,
        event_id = %delivered.event_id,
        "event of a parked stream applied"
    );
}

/// A consumer gave up too much and was stopped; or is stopped no longer.
pub fn tripped(subscription: &str, why: Option<&str>) {
    match why {
        Some(why) => super::alarm::stand(super::alarm::BREAKER_TRIPPED, subscription, why),
        None => super::alarm::clear(super::alarm::BREAKER_TRIPPED, subscription),
    }
}

/// A record that is no event of the log went to the dead letters. What it says of itself is said, believed or not.
pub fn foreign(lane: &Lane, record: &Record, reason: &impl std::fmt::Display) {
    let name = lane.subscription.clone();
    let says = |header| record.header(header).map(|value| String::from_utf8_lossy(value).into_owned());
    metrics::counter!(names::DEAD_LETTERS_TOTAL, "subscription" => name, "class" => "foreign").increment(1);
    tracing::error!(
        subscription = lane.subscription,
        topic = lane.source,
        partition = lane.partition,
        offset = record.offset,
        stream_id = says(envelope::SUBJECT),
        event_id = says(envelope::ID),
        %reason,
        "a record is no event of the log; see its dead letter"
    );
}

/// A command of a consumer, because of the event `cause`, was answered.
pub fn command_answered(subscription: &str, cause: &Delivered, command: &'static str, outcome: &'static str) {
    metrics::counter!(
        names::CONSUMER_COMMANDS_TOTAL,
        "subscription" => subscription.to_owned(), "command" => command, "outcome" => outcome
    )
    .increment(1);
    tracing::debug!(
        subscription,
        command,
        outcome,
        stream_id = cause.event.stream_id,
        event_id = %cause.event_id,
        correlation_id = cause.event.meta().correlation_id.map(tracing::field::display),
        trace_id = cause.event.meta().traceparent.as_deref().and_then(trace_id),
        "command answered"
    );
}

/// How much of a source, a topic or the log, a subscription has not applied yet.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub fn lag(subscription: &str, source: &str, partition: i16, records: i64) {
    metrics::gauge!(
        names::SUBSCRIPTION_LAG,
        "subscription" => subscription.to_owned(), "source" => source.to_owned(), "partition" => partition.to_string()
    )
    .set(records.max(0) as f64);
}

/// Since when the oldest event that a consumer has at hand and not applied has been in the log. Its age is told when
/// `/metrics` is asked, so that it rises while nothing moves.
static AT_HAND: Mutex<BTreeMap<Lane, Option<DateTime<Utc>>>> = Mutex::new(BTreeMap::new());

/// A consumer has events at hand, the oldest of which was appended then; or has applied all there is.
pub fn at_hand(lane: &Lane, oldest: Option<DateTime<Utc>>) {
    let mut at_hand = AT_HAND.lock().unwrap_or_else(PoisonError::into_inner);
    match at_hand.get_mut(lane) {
        Some(known) => *known = oldest,
        None => _ = at_hand.insert(lane.clone(), oldest),
    }
}

/// Sets the ages of what consumers have at hand.
pub(super) fn publish_gauges() {
    for (lane, oldest) in AT_HAND.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let age = oldest.and_then(|at| (clock::now() - at).to_std().ok()).unwrap_or_default();
        lag_seconds(&lane.subscription, &lane.source, lane.partition, age);
    }
}

/// Age of the oldest event of a source that a subscription has not applied.
pub fn lag_seconds(subscription: &str, source: &str, partition: i16, age: Duration) {
    metrics::gauge!(
        names::SUBSCRIPTION_LAG_SECONDS,
        "subscription" => subscription.to_owned(), "source" => source.to_owned(), "partition" => partition.to_string()
    )
    .set(age.as_secs_f64());
}
