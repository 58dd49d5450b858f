//! Facts of supervision and of mailboxes.

use std::time::Duration;

use super::names;

/// An actor in the tree.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// Where it stands.
    pub path: &'a str,
    /// Of which kind.
    pub kind: &'a str,
}

/// An actor runs for the first time.
pub fn started(actor: Actor<'_>, why: &str) {
    tracing::info!(actor = actor.path, kind = actor.kind, why, "actor started");
}

/// An actor ended, as was meant.
pub fn stopped(actor: Actor<'_>, why: &str) {
    tracing::debug!(actor = actor.path, kind = actor.kind, why, "actor stopped");
}

/// An actor was told to end and takes longer than anybody waits.
pub fn overdue(actor: Actor<'_>) {
    tracing::warn!(actor = actor.path, kind = actor.kind, "actor did not end in time and is not waited for");
}

/// An actor ended or did not start, which was not meant.
pub fn crashed(actor: Actor<'_>, cause: &'static str, budget_left: Option<u32>, why: &str) {
    let kind = actor.kind;
    metrics::counter!(names::ACTOR_CRASHES_TOTAL, "kind" => kind.to_owned(), "cause" => cause).increment(1);
    tracing::error!(actor = actor.path, kind, cause, budget_left, why, "actor crashed");
}

/// An actor will be started again after a pause.
pub fn backing_off(actor: Actor<'_>, cause: &'static str, budget_left: Option<u32>, pause: Duration) {
    let kind = actor.kind.to_owned();
    metrics::counter!(names::ACTOR_BACKOFFS_TOTAL, "kind" => kind, "cause" => cause).increment(1);
    tracing::warn!(
        actor = actor.path,
        kind = actor.kind,
        cause,
        budget_left,
        ?pause,
        "actor waits to be started again"
    );
}

/// An actor runs again after a crash.
pub fn restarted(actor: Actor<'_>, cause: &'static str, budget_left: Option<u32>) {
    let kind = actor.kind;
    metrics::counter!(names::ACTOR_RESTARTS_TOTAL, "kind" => kind.to_owned(), "cause" => cause).increment(1);
    tracing::warn!(actor = actor.path, kind, cause, budget_left, "actor restarted");
}

/// A supervisor gave up on a child.
pub fn escalated(actor: Actor<'_>, cause: &'static str, why: &str) {
    metrics::counter!(names::SUPERVISOR_ESCALATIONS_TOTAL, "cause" => cause).increment(1);
    tracing::error!(actor = actor.path, kind = actor.kind, cause, why, "supervisor gives up; the one above decides");
}

/// A supervision fact was dropped because Postgres has been away for too long.
pub fn fact_dropped() {
    metrics::counter!(names::SUPERVISION_FACTS_DROPPED_TOTAL).increment(1);
    tracing::debug!("a supervision fact was dropped, because Postgres has been away for too long");
}

/// Facts were removed from Postgres, because they were too old or too many.
pub fn facts_purged(facts: u64) {
    if facts > 0 {
        metrics::counter!(names::SUPERVISION_FACTS_PURGED_TOTAL).increment(facts);
        tracing::debug!(facts, "supervision facts were removed");
    }
}

/// What the mailboxes of one kind of actor hold at present, and what went through them so far.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Of which kind.
    pub kind: &'static str,
    /// Live mailboxes.
    pub mailboxes: usize,
    /// Messages accepted and not finished, per lane.
    pub depths: [(&'static str, usize); 2],
    /// Age of the oldest of them.
    pub oldest: Duration,
    /// Handled so far.
    pub handled: u64,
    /// Failed or lost so far.
    pub failed: u64,
    /// Refused so far.
    pub refused: u64,
    /// Time spent handling so far.
    pub busy: Duration,
}

/// Sets the gauges of one kind of actor. Asked for by every scrape, so there is nothing to log.
pub fn workload(load: &Workload) {
    let kind = load.kind;
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    metrics::gauge!(names::MAILBOXES, "kind" => kind).set(count(load.mailboxes));
    for (lane, depth) in load.depths {
        metrics::gauge!(names::MAILBOX_DEPTH, "kind" => kind, "lane" => lane).set(count(depth));
    }
    metrics::gauge!(names::MAILBOX_OLDEST_SECONDS, "kind" => kind).set(load.oldest.as_secs_f64());
    metrics::counter!(names::MESSAGES_HANDLED_TOTAL, "kind" => kind).absolute(load.handled);
    metrics::counter!(names::MESSAGES_FAILED_TOTAL, "kind" => kind).absolute(load.failed);
    metrics::counter!(names::MESSAGES_REFUSED_TOTAL, "kind" => kind).absolute(load.refused);
    let busy = u64::try_from(load.busy.as_micros()).unwrap_or(u64::MAX);
    metrics::counter!(names::MESSAGES_BUSY_MICROSECONDS_TOTAL, "kind" => kind).absolute(busy);
}
