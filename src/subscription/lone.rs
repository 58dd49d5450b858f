//! One event alone, outside its partition's batches: the head of a parked stream that is due, or a letter that an operator
//! hands back. The same steps as a batch, in the same order, with the row's state instead of a fence.

use sqlx::PgConnection;
use uuid::Uuid;

use super::attempts;
use super::consumer::OnDeadLetter;
use super::counts::Counts;
use super::dead_letter::{self, DeadLetter, Verdict};
use super::guard::{self, Order, StreamGap};
use super::models::Written;
use super::parking::{self, Head};
use super::retry::{self, parked_verdict};
use super::{Blamed, Delivered, Failure, Lane, Subscription, breaker, counts, dedup, effects, hold};
use crate::event_store::Append;
use crate::telemetry::subscription::Spans;
use crate::{faults, telemetry};

/// How one event that ran alone ended.
#[derive(Debug)]
pub enum Ended {
    /// It took effect, or had before; so many events of its stream wait behind it.
    Applied {
        /// Those.
        waiting: i32,
    },
    /// It failed, and its stream was set aside anew or is behind a letter.
    Failed(Failure),
    /// Nothing was tried: what it needs is away, or the subscription is held. The stream is as it was.
    Waits(String),
    /// Somebody else has taken the stream.
    Lost,
}

/// Why a transaction came to nothing.
pub(super) enum Undone {
    Failed(Failure),
    Held(String),
    Lost,
}

impl<E: Into<Failure>> From<E> for Undone {
    fn from(failure: E) -> Self {
        Self::Failed(failure.into())
    }
}

fn unblamed(blamed: Blamed) -> Undone {
    Undone::Failed(blamed.failure)
}

/// Tries the head of a parked stream that this process has taken.
///
/// # Errors
/// What Postgres says about the rows around it; the stream's lease runs out then.
pub async fn retry(subscription: &Subscription, head: &Head, owner: Uuid) -> sqlx::Result<Ended> {
    let (lane, delivered, db) = (&head.lane, &head.delivered, &subscription.db);
    let _alone = attempts::alone(&subscription.name, delivered.event_id, db).await?;
    let attempt = attempts::begin(lane, delivered, owner, db).await?;
    faults::point("parked.begun");
    if attempt.deaths >= attempts::DEATHS {
        let failure = Failure::Deadly(u32::try_from(attempt.deaths).unwrap_or(0));
        give_up(subscription, head, Verdict::on(&failure, lane, &attempt)).await?;
        return Ok(Ended::Failed(failure));
    }
    match try_head(subscription, head, owner).await {
        Ok(waiting) => {
            telemetry::subscription::parked_applied(lane, delivered);
            Ok(Ended::Applied { waiting })
        }
        Err(Undone::Failed(failure)) => failed(subscription, head, owner, failure).await,
        Err(Undone::Lost) => {
            attempts::interrupted(lane, delivered, owner, db).await?;
            Ok(Ended::Lost)
        }
        Err(Undone::Held(why)) => {
            attempts::interrupted(lane, delivered, owner, db).await?;
            parking::give_back(head, owner, db).await?;
            Ok(Ended::Waits(why))
        }
    }
}

async fn failed(subscription: &Subscription, head: &Head, owner: Uuid, failure: Failure) -> sqlx::Result<Ended> {
    let (lane, delivered, db) = (&head.lane, &head.delivered, &subscription.db);
    if let Failure::DependencyDown(..) = failure {
        attempts::interrupted(lane, delivered, owner, db).await?;
        parking::give_back(head, owner, db).await?;
        return Ok(Ended::Waits(failure.chain()));
    }
    let attempt = attempts::failed(lane, delivered, &failure, db).await?;
    let number = |count: i32| u32::try_from(count).unwrap_or(0);
    let jitter = rand::random::<f64>();
    // Another class of failure begins with all its retries.
    let retries = if head.class == failure.class() { number(head.retries) } else { 0 };
    let verdict = parked_verdict(&failure, number(attempt.tries), retries, jitter, &subscription.config);
    telemetry::subscription::batch_failed(lane, 1, Some(delivered), number(attempt.tries), &failure);
    let why = Verdict::on(&failure, lane, &attempt);
    match verdict {
        retry::Verdict::Park { after } | retry::Verdict::Again { after } | retry::Verdict::Wait { after } => {
            parking::again_later(head, owner, &why, after, db).await?;
        }
        retry::Verdict::Halve { .. } | retry::Verdict::DeadLetter => {
            let ends = matches!(
                failure,
                Failure::Poison(_) | Failure::Permanent(_) | Failure::Deadly(_) | Failure::Panic { .. }
            );
            give_up(subscription, head, if ends { why } else { why.exhausted() }).await?;
            telemetry::subscription::dead_lettered(lane, delivered, &failure);
        }
    }
    Ok(Ended::Failed(failure))
}

/// One transaction: the event leaves its queue and takes effect, or neither. Answers how many wait behind it.
async fn try_head(subscription: &Subscription, head: &Head, owner: Uuid) -> Result<i32, Undone> {
    let (lane, delivered) = (&head.lane, &head.delivered);
    let event = &delivered.event;
    let spans = spans(subscription, lane, delivered);
    // Commands cannot be taken back: nothing is asked for one that is held.
    held(subscription, &mut *subscription.db.acquire().await?).await?;
    effects::ask_first(subscription, &[delivered], &spans).await.map_err(unblamed)?;
    let mut tx = subscription.db.begin().await?;
    let written = effects::share_models(subscription, &mut tx).await?;
    held(subscription, &mut tx).await?;
    let parked = parking::lock(&subscription.name, &[&event.stream_id], &mut tx).await?;
    if parked.get(&event.stream_id).is_none_or(|parked| parked.runs_as != Some(owner) || parked.letter.is_some()) {
        return Err(Undone::Lost);
    }
    let applied = (dedup::State::Parked, dedup::State::Applied);
    let is_new = dedup::change(&subscription.name, delivered.event_id, applied, &mut tx).await?;
    let is_next = is_new && next(subscription, lane, delivered, &mut tx).await?;
    faults::point("parked.judged");
    let appends = if is_next { decide(subscription, delivered, &spans, &written, &mut tx).await? } else { Vec::new() };
    parking::take_out(&subscription.name, &event.stream_id, event.version, &mut tx).await?;
    attempts::clear(&subscription.name, &[delivered.event_id], &mut tx).await?;
    counts::add(lane, &Counts { applied: u64::from(is_next), ..Counts::default() }, &mut tx).await?;
    // The last event takes the stream's row with it, under the lock that the worker of its partition shares.
    let waiting = parking::release(&subscription.name, &event.stream_id, &mut tx).await?;
    let fresh: &[&Delivered] = if is_next { &[delivered] } else { &[] };
    let events = effects::write(subscription, fresh, appends, &written, &mut tx).await?;
    faults::point("parked.written");
    tx.commit().await?;
    faults::point("parked.committed");
    subscription.bell.ring_all(events);
    Ok(waiting)
}

/// Nothing of a held subscription is applied, whoever hands it over.
pub(super) async fn held(subscription: &Subscription, tx: &mut PgConnection) -> Result<(), Undone> {
    match hold::of(&subscription.name, tx).await? {
        Some(hold) => Err(Undone::Held(hold.to_string())),
        None => Ok(()),
    }
}

/// Moves the guard over an event if it is the next of its stream; `false` if it was seen before.
pub(super) async fn next(
    subscription: &Subscription,
    lane: &Lane,
    delivered: &Delivered,
    tx: &mut PgConnection,
) -> Result<bool, Failure> {
    let event = &delivered.event;
    if !guard::watches(&lane.source) {
        return Ok(true);
    }
    let seen = guard::seen(&subscription.name, &[&event.stream_id], &mut *tx).await?;
    let last = seen.get(&event.stream_id).copied().unwrap_or(0);
    match guard::judge(last, event.version) {
        Order::Regression => Ok(false),
        Order::Gap { expected } => {
            Err(Failure::Gap(StreamGap { stream_id: event.stream_id.clone(), version: event.version, expected }))
        }
        Order::Next => {
            let versions = [(event.stream_id.as_str(), event.version)].into();
            guard::note(&subscription.name, &versions, tx).await?;
            Ok(true)
        }
    }
}

/// What follows from the event; it is appended and folded at the end of the transaction.
pub(super) async fn decide(
    subscription: &Subscription,
    delivered: &Delivered,
    spans: &Spans,
    written: &Written,
    tx: &mut PgConnection,
) -> Result<Vec<Append>, Undone> {
    let fresh = [delivered];
    // Whether its streams have moved on since, nobody knows: they are read.
    let decisions = effects::decide(subscription, &fresh, (written, true), tx).await.map_err(unblamed)?;
    effects::appends(subscription, &fresh, decisions, spans).map_err(unblamed)
}

pub(super) fn spans(subscription: &Subscription, lane: &Lane, delivered: &Delivered) -> Spans {
    let read = subscription.reads(delivered);
    telemetry::subscription::begun(lane, subscription.verb(), read.then_some(delivered).into_iter())
}

/// The head becomes a dead letter: its stream stays behind it, or goes on without it.
async fn give_up(subscription: &Subscription, head: &Head, verdict: Verdict) -> sqlx::Result<()> {
    let (lane, delivered) = (&head.lane, &head.delivered);
    let event = &delivered.event;
    let mut tx = subscription.db.begin().await?;
    parking::lock(&subscription.name, &[&event.stream_id], &mut tx).await?;
    let dead = (dedup::State::Parked, dedup::State::Dead);
    if !dedup::change(&subscription.name, delivered.event_id, dead, &mut tx).await? {
        return Ok(());
    }
    parking::take_out(&subscription.name, &event.stream_id, event.version, &mut tx).await?;
    match subscription.on_dead_letter {
        OnDeadLetter::Block => {
            parking::block(&subscription.name, &event.stream_id, verdict.letter_id, &verdict, &mut tx).await?;
        }
        OnDeadLetter::Continue => {
            if guard::watches(&lane.source) {
                let versions = [(event.stream_id.as_str(), event.version)].into();
                guard::note(&subscription.name, &versions, &mut tx).await?;
            }
            parking::release(&subscription.name, &event.stream_id, &mut tx).await?;
        }
    }
    let number = breaker::outcomes(&subscription.name, &mut tx).await? + 1;
    let letter = DeadLetter::of_event(verdict.letter_id, lane, delivered, verdict);
    dead_letter::store(&letter, number, &mut tx).await?;
    let tripped = breaker::look(&subscription.name, &mut tx).await?;
    attempts::clear(&subscription.name, &[delivered.event_id], &mut tx).await?;
    counts::add(lane, &Counts { letters: 1, ..Counts::default() }, &mut tx).await?;
    faults::point("parked.buried");
    tx.commit().await?;
    if let Some(why) = tripped {
        telemetry::subscription::tripped(&subscription.name, Some(&why));
    }
    Ok(())
}
