//! What a handler's decisions lead to, step by step: commands asked before, decisions, rows folded, events appended. The
//! same for a batch, a parked head, a replayed letter and a try that is rolled back.

use sqlx::{PgConnection, Postgres, Transaction};

use super::consumer::{Decision, Decisions, FoldEvent, Folding, OrderCommand, Tx};
use super::models::{self, Written};
use super::{Blamed, Delivered, Failure, Subscription, ask, panics};
use crate::clock;
use crate::contracts::RecordedEvent;
use crate::event_store::{self, Append, append};
use crate::faults::{self, Defect};
use crate::telemetry::subscription::Spans;

/// The commands these events lead to. Nothing is sent.
///
/// # Errors
/// The handler's failure, its panic included.
pub(super) fn commands(subscription: &Subscription, events: &[&Delivered]) -> Result<Vec<OrderCommand>, Blamed> {
    match &subscription.handler {
        Some(handler) if !events.is_empty() => panics::caught(|| handler.commands(events))?,
        _ => Ok(Vec::new()),
    }
}

/// Commands are answered before the transaction opens: between append and commit nothing but Postgres is awaited.
///
/// # Errors
/// The handler's failure, or what the aggregates say.
pub(super) async fn ask_first(subscription: &Subscription, events: &[&Delivered], spans: &Spans) -> Result<(), Blamed> {
    let wanted = commands(subscription, events)?;
    match &subscription.commands {
        Some(commands) if !wanted.is_empty() => {
            // A command that was sent has had its effect: what is to fail fails before.
            if subscription.panel.is_on() {
                let mut db = subscription.db.acquire().await.map_err(Failure::from)?;
                panics::caught_async(subscription.panel.strike(subscription, events, &mut db)).await??;
            }
            Ok(ask::send(&subscription.name, wanted, events, spans, commands).await?)
        }
        _ => Ok(()),
    }
}

/// The first statement of every transaction that writes read models.
///
/// # Errors
/// What Postgres says.
pub(super) async fn share_models(subscription: &Subscription, tx: &mut PgConnection) -> Result<Written, Failure> {
    if subscription.folds.is_empty() {
        return Ok(Written::default());
    }
    let names: Vec<&str> = subscription.folds.iter().map(|fold| fold.name()).collect();
    Ok(models::share(&names, tx).await?)
}

/// What the handler decides about these events.
///
/// # Errors
/// Its failure, its panic included.
pub(super) async fn decide(
    subscription: &Subscription,
    fresh: &[&Delivered],
    (written, after_conflict): (&Written, bool),
    tx: &mut PgConnection,
) -> Result<Decisions, Blamed> {
    let Some(handler) = subscription.handler.as_ref().filter(|_| !fresh.is_empty()) else {
        return Ok(Decisions::new());
    };
    faults::fail_handler(&subscription.name, fresh)?;
    panics::caught_async(async {
        subscription.panel.strike(subscription, fresh, &mut *tx).await?;
        handler.handle(fresh, Tx { db: tx, after_conflict, written }).await
    })
    .await?
}

/// Decisions as appends: each carries the event that caused it.
///
/// # Errors
/// [`Failure::Permanent`], and whose decision is too large.
pub(super) fn appends(
    subscription: &Subscription,
    fresh: &[&Delivered],
    decisions: Vec<Decision>,
    spans: &Spans,
) -> Result<Vec<Append>, Blamed> {
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
            match append::check_size(&append, subscription.event_bytes) {
                Ok(()) => Ok(append),
                Err(error) => Err(Blamed { failure: Failure::permanent(error), culprit: Some(decision.cause) }),
            }
        })
        .collect()
}

/// Of decided events no fold reads a position or a time, although they have been appended. Received ones were long since.
async fn fold(
    subscription: &Subscription,
    fresh: &[&Delivered],
    appends: &[Append],
    written: &Written,
    tx: &mut PgConnection,
) -> Result<(), Failure> {
    if subscription.folds.is_empty() {
        return Ok(());
    }
    let events: Vec<FoldEvent<'_>> = match subscription.folding {
        Folding::Decided => append::decided(appends)
            .map(|(version, event)| FoldEvent {
                event_type: event.event_type,
                version,
                recorded_at: None,
                payload: &event.payload,
            })
            .collect(),
        Folding::Received => {
            let read = fresh.iter().filter(|delivered| subscription.reads(delivered));
            read.map(|delivered| FoldEvent::from(&*delivered.event)).collect()
        }
    };
    for fold in subscription.folds.iter() {
        fold.fold(&events, written, tx).await?;
    }
    Ok(())
}

/// The last statements before the commit: what was decided is appended, which locks heads of the log, and then folded, which
/// locks rows of read models. All batches want the same few rows and each partition has a head of its own, so the rows come
/// last and are locked for the shortest time; heads before rows holds for everybody, or two would wait for each other.
///
/// # Errors
/// What Postgres or a fold says.
pub(super) async fn write(
    subscription: &Subscription,
    fresh: &[&Delivered],
    appends: Vec<Append>,
    written: &Written,
    tx: &mut Transaction<'_, Postgres>,
) -> Result<Vec<RecordedEvent>, Failure> {
    let logged = match faults::planted(Defect::DedupOff) {
        true => Some(not_appended(appends.clone(), tx).await?),
        false => None,
    };
    let places = append::within(tx, logged.as_ref().unwrap_or(&appends)).await?;
    faults::point("pass.appended");
    fold(subscription, fresh, &appends, written, tx).await?;
    Ok(logged.unwrap_or(appends).into_iter().zip(places).flat_map(|(append, place)| append.recorded(place)).collect())
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
