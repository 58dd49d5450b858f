//! One batch, one transaction. The order of its statements is the same everywhere, or two workers would deadlock:
//! models shared → fence → (parked rows, once there are any) → ledger → guard → effects → dead letters → append → commit.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use sqlx::{PgConnection, Postgres, Transaction};

use super::admit::{Delivered, Entry, Foreign};
use super::consumer::{Decision, Decisions, FoldEvent, Tx};
use super::dead_letter::{self, DeadLetter, Verdict};
use super::guard::{self, Order, StreamGap};
use super::{Failure, Lane, Record, Subscription, ask, checkpoint, dedup};
use crate::contracts::{Position, RecordedEvent};
use crate::event_store::{self, Append, append};
use crate::faults::{self, Defect};
use crate::telemetry::subscription::Spans;
use crate::{clock, telemetry};

const SHARE_MODELS: &str = include_str!("sql/share_models.sql");

/// One thing to do about a batch, and what holds once it is done.
#[derive(Debug)]
pub struct Item {
    /// What.
    pub entry: Entry,
    /// Where to read on afterwards.
    pub next_offset: i64,
    /// Last position applied afterwards.
    pub position: Position,
    /// Set when the event is given up.
    pub condemned: Option<Verdict>,
}

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Events that took effect.
    pub applied: u64,
    /// Events the ledger knew.
    pub duplicates: u64,
    /// Events behind their stream.
    pub regressions: u64,
    /// Dead letters written.
    pub letters: u64,
    /// Events appended.
    pub appended: u64,
}

/// Why a pass came to nothing; the transaction was rolled back.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// A newer owner has the partition: stop.
    #[error("a newer owner has taken the partition")]
    Fenced,
    /// The batch failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<sqlx::Error> for PassError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// What is to be done for events that are new and next.
struct Judged<'a> {
    fresh: Vec<&'a Delivered>,
    passed: Passed,
}

/// Works through `items` in one transaction, or not at all.
///
/// # Errors
/// [`PassError`]; nothing was done then.
pub async fn pass(
    subscription: &Subscription,
    lane: &Lane,
    epoch: i64,
    items: &[Item],
    after_conflict: bool,
) -> Result<Passed, PassError> {
    let Some(last) = items.last() else {
        return Ok(Passed::default());
    };
    let started = Instant::now();
    let (verb, events) = (subscription.verb(), events(items).map(|(delivered, _)| delivered));
    let spans = telemetry::subscription::begun(lane, verb, events.filter(|delivered| subscription.reads(delivered)));
    let done = commit(subscription, lane, epoch, (items, last), &spans, after_conflict).await;
    match &done {
        Ok((passed, newest)) => {
            for (record, reason) in foreign(items) {
                telemetry::subscription::foreign(lane, record, reason);
            }
            telemetry::subscription::batch_applied(lane, passed, *newest, started.elapsed());
        }
        Err(error) => spans.failed(error),
    }
    done.map(|(passed, _)| passed)
}

/// The transaction; with what it did, when the newest event it applied was appended.
async fn commit(
    subscription: &Subscription,
    lane: &Lane,
    epoch: i64,
    (items, last): (&[Item], &Item),
    spans: &Spans,
    after_conflict: bool,
) -> Result<(Passed, Option<DateTime<Utc>>), PassError> {
    ask_first(subscription, items, spans).await?;
    let mut tx = subscription.db.begin().await?;
    faults::point("pass.begun");
    share_models(subscription, &mut tx).await?;
    let lease = subscription.lease;
    if !checkpoint::advance(lane, epoch, last.next_offset, last.position, lease, &mut tx).await? {
        return Err(PassError::Fenced);
    }
    faults::point("pass.fenced");
    let Judged { fresh, mut passed } = judge(subscription, lane, last.next_offset, items, &mut tx).await?;
    faults::point("pass.judged");
    let decisions = decide(subscription, &fresh, after_conflict, &mut tx).await?;
    faults::point("pass.handled");
    let appends = appends(subscription, &fresh, decisions, spans)?;
    fold(subscription, &fresh, &appends, &mut tx).await?;
    faults::point("pass.folded");
    passed.letters = bury(lane, items, &mut tx).await?;
    faults::point("pass.buried");
    let appends = if faults::planted(Defect::DedupOff) { not_appended(appends, &mut tx).await? } else { appends };
    let events = write(appends, &mut tx).await?;
    faults::point("pass.appended");
    tx.commit().await?;
    faults::point("pass.committed");
    passed.appended = events.len() as u64;
    subscription.bell.ring_all(events);
    Ok((passed, fresh.last().map(|delivered| delivered.event.recorded_at)))
}

/// Moves the checkpoint past records that need nothing done.
///
/// # Errors
/// [`PassError`].
pub async fn skip(
    subscription: &Subscription,
    lane: &Lane,
    epoch: i64,
    next_offset: i64,
    position: Position,
) -> Result<(), PassError> {
    let mut db = subscription.db.acquire().await?;
    if checkpoint::advance(lane, epoch, next_offset, position, subscription.lease, &mut db).await? {
        Ok(())
    } else {
        Err(PassError::Fenced)
    }
}

fn events(items: &[Item]) -> impl Iterator<Item = (&Delivered, Option<&Verdict>)> {
    items.iter().filter_map(|item| match &item.entry {
        Entry::Event(delivered) => Some((&**delivered, item.condemned.as_ref())),
        Entry::Foreign { .. } => None,
    })
}

fn foreign(items: &[Item]) -> impl Iterator<Item = (&Record, &Foreign)> {
    items.iter().filter_map(|item| match &item.entry {
        Entry::Event(_) => None,
        Entry::Foreign { record, reason } => Some((&**record, reason)),
    })
}

/// Commands are answered before the transaction opens: between append and commit nothing but Postgres is awaited.
async fn ask_first(subscription: &Subscription, items: &[Item], spans: &Spans) -> Result<(), Failure> {
    let (Some(handler), Some(commands)) = (&subscription.handler, &subscription.commands) else {
        return Ok(());
    };
    let events: Vec<&Delivered> =
        events(items).filter(|(_, condemned)| condemned.is_none()).map(|(delivered, _)| delivered).collect();
    let wanted = std::panic::catch_unwind(AssertUnwindSafe(|| handler.commands(&events)))
        .map_err(|panic| Failure::Panic(message_of(&*panic)))??;
    if wanted.is_empty() { Ok(()) } else { ask::send(&subscription.name, wanted, &events, spans, commands).await }
}

async fn share_models(subscription: &Subscription, tx: &mut PgConnection) -> Result<(), Failure> {
    if subscription.folds.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = subscription.folds.iter().map(|fold| fold.name()).collect();
    sqlx::query(SHARE_MODELS).bind(names).execute(tx).await?;
    Ok(())
}

/// Ledger and guard. A view needs neither: its source is the log itself, and the fence its only memory.
async fn judge<'a>(
    subscription: &Subscription,
    lane: &Lane,
    next_offset: i64,
    items: &'a [Item],
    tx: &mut PgConnection,
) -> Result<Judged<'a>, Failure> {
    let mut passed = Passed::default();
    if subscription.handler.is_none() {
        let fresh: Vec<&Delivered> =
            events(items).filter(|(_, condemned)| condemned.is_none()).map(|(delivered, _)| delivered).collect();
        passed.applied = fresh.len() as u64;
        return Ok(Judged { fresh, passed });
    }
    let entries: Vec<_> = events(items)
        .map(|(delivered, condemned)| {
            (delivered.event_id, if condemned.is_some() { dedup::State::Dead } else { dedup::State::Applied })
        })
        .collect();
    if entries.is_empty() {
        return Ok(Judged { fresh: Vec::new(), passed });
    }
    let new = dedup::enter(lane, next_offset, &entries, tx).await?;
    let streams: Vec<&str> = events(items).map(|(delivered, _)| delivered.event.stream_id.as_str()).collect();
    let seen = guard::seen(&subscription.name, &streams, tx).await?;
    let mut fresh = Vec::with_capacity(entries.len());
    let mut versions: HashMap<&str, i32> = HashMap::new();
    for (delivered, condemned) in events(items) {
        let event = &delivered.event;
        let last = versions.get(event.stream_id.as_str()).or_else(|| seen.get(&event.stream_id)).copied().unwrap_or(0);
        match guard::judge(last, event.version) {
            Order::Regression if faults::planted(Defect::DedupOff) => fresh.push(delivered),
            _ if !new.contains(&delivered.event_id) => passed.duplicates += 1,
            Order::Regression => passed.regressions += 1,
            // A letter passes the guard whatever is missing before it: what follows must not wait for it.
            Order::Gap { expected } if condemned.is_none() => return Err(gap(event, expected)),
            Order::Next | Order::Gap { .. } => {
                versions.insert(&event.stream_id, event.version);
                if condemned.is_none() {
                    passed.applied += 1;
                    fresh.push(delivered);
                }
            }
        }
    }
    guard::note(&subscription.name, &versions, tx).await?;
    Ok(Judged { fresh, passed })
}

fn gap(event: &RecordedEvent, expected: i32) -> Failure {
    telemetry::alarm::raise(
        telemetry::alarm::STREAM_GAP,
        &event.stream_id,
        &format!("version {} came where {expected} should have", event.version),
    );
    Failure::permanent(StreamGap { stream_id: event.stream_id.clone(), version: event.version, expected })
}

async fn decide(
    subscription: &Subscription,
    fresh: &[&Delivered],
    after_conflict: bool,
    tx: &mut PgConnection,
) -> Result<Decisions, Failure> {
    let Some(handler) = subscription.handler.as_ref().filter(|_| !fresh.is_empty()) else {
        return Ok(Decisions::new());
    };
    faults::fail_handler(&subscription.name, fresh)?;
    AssertUnwindSafe(handler.handle(fresh, Tx { db: tx, after_conflict }))
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(Failure::Panic(message_of(&*panic))))
}

fn appends(
    subscription: &Subscription,
    fresh: &[&Delivered],
    decisions: Vec<Decision>,
    spans: &Spans,
) -> Result<Vec<Append>, Failure> {
    decisions
        .into_iter()
        .map(|decision| {
            let append = Append {
                append_id: clock::random_id(),
                partition: subscription.partitions.of(&decision.partition_key),
                stream_id: decision.stream_id,
                partition_key: decision.partition_key,
                expected_version: decision.expected_version,
                events: decision.events,
                meta: ask::caused_by(fresh[decision.cause], spans).to_json(),
            };
            append::check_size(&append, subscription.event_bytes).map_err(Failure::permanent)?;
            Ok(append)
        })
        .collect()
}

/// Decided events are folded before their append, so no fold reads a position.
async fn fold(
    subscription: &Subscription,
    fresh: &[&Delivered],
    appends: &[Append],
    tx: &mut PgConnection,
) -> Result<(), Failure> {
    if subscription.folds.is_empty() {
        return Ok(());
    }
    let events: Vec<FoldEvent<'_>> = if subscription.handler.is_some() {
        append::decided(appends)
            .map(|(version, event)| FoldEvent {
                event_type: event.event_type,
                version,
                recorded_at: None,
                payload: &event.payload,
            })
            .collect()
    } else {
        fresh.iter().map(|delivered| recorded(&delivered.event)).collect()
    };
    for fold in subscription.folds.iter() {
        fold.fold(&events, tx).await?;
    }
    Ok(())
}

fn recorded(event: &RecordedEvent) -> FoldEvent<'_> {
    FoldEvent {
        event_type: &event.event_type,
        version: event.version,
        recorded_at: Some(event.recorded_at),
        payload: &event.payload,
    }
}

async fn bury(lane: &Lane, items: &[Item], tx: &mut PgConnection) -> Result<u64, Failure> {
    let mut letters = 0;
    for item in items {
        let letter = match (&item.entry, &item.condemned) {
            (Entry::Event(delivered), Some(verdict)) => {
                DeadLetter::of_event(clock::new_id(), lane, delivered, verdict.clone())
            }
            (Entry::Foreign { record, reason }, _) => {
                DeadLetter::of_foreign(clock::new_id(), lane, record, Verdict::on_foreign(reason, clock::now()))
            }
            (Entry::Event(_), None) => continue,
        };
        dead_letter::store(&letter, tx).await?;
        letters += 1;
    }
    Ok(letters)
}

async fn write(appends: Vec<Append>, tx: &mut Transaction<'_, Postgres>) -> Result<Vec<RecordedEvent>, Failure> {
    let places = event_store::append::within(tx, &appends).await?;
    Ok(appends.into_iter().zip(places).flat_map(|(append, place)| append.recorded(place)).collect())
}

/// The planted defect: what is in the log already is passed over, although it was folded a second time.
async fn not_appended(mut appends: Vec<Append>, tx: &mut PgConnection) -> Result<Vec<Append>, Failure> {
    let streams: Vec<String> = appends.iter().map(|append| append.stream_id.clone()).collect();
    let known = event_store::streams(tx, &streams).await?;
    appends.retain(|append| {
        !known.iter().any(|event| event.stream_id == append.stream_id && event.version > append.expected_version)
    });
    Ok(appends)
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
