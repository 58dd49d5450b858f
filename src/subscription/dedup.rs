//! The ledger: event ids a consumer has processed. Insert all, keep what is new.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, query_as};
use uuid::Uuid;

use super::Lane;
use super::admit::Repeat;
use super::counts::Counts;
use crate::contracts::topics;

const INSERT: &str = include_str!("sql/ledger_insert.sql");
const AGAIN: &str = include_str!("sql/ledger_again.sql");
const MOVE: &str = include_str!("sql/ledger_move.sql");
const PRUNE: &str = include_str!("sql/ledger_prune.sql");
/// Most rows forgotten by one statement: some 50 ms of work. A long statement slows every append.
const STEP_MOST: i64 = 5_000;
/// Fewest, when the machine is slow.
const STEP_LEAST: i64 = 500;
/// A statement that takes longer is followed by half of it.
const STEP_SLOW: Duration = Duration::from_millis(250);

/// What the ledger says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It took effect.
    Applied,
    /// It waits with its stream.
    Parked,
    /// It was given up on; a dead letter holds it.
    Dead,
    /// An operator has decided that it never takes effect.
    Discarded,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Parked => "parked",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
        }
    }
}

/// What is to be entered about one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which event.
    pub event_id: Uuid,
    /// What became of it.
    pub state: State,
    /// Where it was read.
    pub source_offset: i64,
}

/// Enters events into the ledger and answers which of them are new to it.
///
/// # Errors
/// What Postgres says.
pub async fn enter(lane: &Lane, entries: &[Entry], db: &mut PgConnection) -> sqlx::Result<HashSet<Uuid>> {
    let new: Vec<Uuid> = sqlx::query_scalar(INSERT)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(entries.iter().map(|entry| entry.event_id).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| entry.state.as_str()).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| entry.source_offset).collect::<Vec<_>>())
        .fetch_all(db)
        .await?;
    Ok(new.into_iter().collect())
}

/// Notes that known events came again, on those rows that still exist, and counts them by cause.
///
/// # Errors
/// What Postgres says.
pub(super) async fn again(lane: &Lane, repeats: &[Repeat], db: &mut PgConnection) -> sqlx::Result<Counts> {
    if repeats.is_empty() {
        return Ok(Counts::default());
    }
    let redelivered: i64 = sqlx::query_scalar(AGAIN)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(repeats.iter().map(|repeat| repeat.event_id).collect::<Vec<_>>())
        .bind(repeats.iter().map(|repeat| repeat.offset).collect::<Vec<_>>())
        .bind(repeats.iter().map(|repeat| repeat.is_sought).collect::<Vec<_>>())
        .fetch_one(db)
        .await?;
    let redelivered = u64::try_from(redelivered).unwrap_or(0);
    let replayed = repeats.iter().filter(|repeat| repeat.is_sought).count() as u64;
    let republished = (repeats.len() as u64).saturating_sub(replayed + redelivered);
    Ok(Counts { redelivered, republished, replayed, ..Counts::default() })
}

/// Moves an event from one state to another, in the transaction of what that means; `false` if it was not in that state,
/// and so somebody has done it before.
///
/// # Errors
/// What Postgres says.
pub async fn change(
    subscription: &str,
    event_id: Uuid,
    (from, to): (State, State),
    db: &mut PgConnection,
) -> sqlx::Result<bool> {
    let moved =
        sqlx::query(MOVE).bind(subscription).bind(event_id).bind(from.as_str()).bind(to.as_str()).execute(db).await?;
    Ok(moved.rows_affected() == 1)
}

/// What one purge has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Rows forgotten.
    pub rows: u64,
    /// Statements it took.
    pub steps: u32,
    /// The longest of them.
    pub longest: Duration,
    /// Whether nothing is left that is old enough; otherwise the budget was spent.
    pub is_done: bool,
}

/// Forgets applied events of stream topics that are older than `keep`, in steps of a few thousand rows with a rest as long
/// as the step after each, for about `budget`. On those topics the position suppresses repeats for ever, so the ledger need
/// not. Rows of other sources stay: mirrored topics carry no positions and keep their records for ever.
///
/// # Errors
/// What Postgres says; what was forgotten until then stays forgotten.
pub async fn purge(keep: Duration, budget: Duration, db: &PgPool) -> sqlx::Result<Purged> {
    let began = Instant::now();
    let mut purged = Purged::default();
    for (source, _) in topics::STREAM_TOPICS {
        let (mut limit, mut since) = (STEP_MOST, None);
        loop {
            let step = Instant::now();
            let (rows, newest): (i64, Option<DateTime<Utc>>) =
                query_as(PRUNE).bind(source).bind(keep.as_secs_f64()).bind(since).bind(limit).fetch_one(db).await?;
            let took = step.elapsed();
            purged.steps += 1;
            purged.rows += rows.unsigned_abs();
            purged.longest = purged.longest.max(took);
            if rows < limit {
                break;
            }
            if began.elapsed() >= budget {
                return Ok(purged);
            }
            // Dead rows lie before the newest forgotten: the next step need not wade through them.
            since = newest;
            limit = if took > STEP_SLOW { (limit / 2).max(STEP_LEAST) } else { limit };
            tokio::time::sleep(took).await;
        }
    }
    purged.is_done = true;
    Ok(purged)
}
