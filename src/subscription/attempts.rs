//! Tries of events that failed alone: rows, written before such an event runs, so that a crash, a kill and a rebalance
//! count as well and forget nothing.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use uuid::Uuid;

use super::{Delivered, Failure, Lane};

const BEGIN: &str = include_str!("sql/attempt_begin.sql");
const FAILED: &str = include_str!("sql/attempt_failed.sql");
const INTERRUPTED: &str = include_str!("sql/attempt_interrupted.sql");
const CLEAR: &str = include_str!("sql/attempt_clear.sql");
const DEATHS_OF: &str = include_str!("sql/attempt_deaths.sql");
const FORGET: &str = include_str!("sql/attempt_forget.sql");
const CHARGE: &str = include_str!("sql/attempt_charge.sql");

/// Processes that may end while one event runs alone; then it is a dead letter.
pub const DEATHS: i32 = 5;

/// What is known of an event that failed alone.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Attempt {
    /// Failures in a row of the present class: another class begins anew.
    pub tries: i32,
    /// Failures in all.
    pub attempts: i32,
    /// Processes that ended while it ran alone.
    pub deaths: i32,
    /// First failure.
    pub first_failed_at: DateTime<Utc>,
    /// Last failure.
    pub last_failed_at: DateTime<Utc>,
}

/// Notes that `owner` runs an event alone from now on: if its process ends before it says how that went, the next one
/// knows what ran. An event that was already running as another's is charged with that one's death.
///
/// # Errors
/// What Postgres says.
pub async fn begin(lane: &Lane, event: &Delivered, owner: Uuid, db: &PgPool) -> sqlx::Result<Attempt> {
    sqlx::query_as(BEGIN)
        .bind(&lane.subscription)
        .bind(event.event_id)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(&event.event.stream_id)
        .bind(owner)
        .fetch_one(db)
        .await
}

/// Notes a failure; a change of class begins its budget anew.
///
/// # Errors
/// What Postgres says.
pub async fn failed(lane: &Lane, event: &Delivered, failure: &Failure, db: &PgPool) -> sqlx::Result<Attempt> {
    sqlx::query_as(FAILED)
        .bind(&lane.subscription)
        .bind(event.event_id)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(&event.event.stream_id)
        .bind(failure.class())
        .bind(failure.chain())
        .fetch_one(db)
        .await
}

/// Who runs alone in this process.
static ALONE: RwLock<()> = RwLock::const_new(());

/// The right to run an event alone, as long as it is held.
#[derive(Debug)]
#[expect(dead_code, reason = "held, and never looked at")]
pub(super) enum Alone {
    /// Beside others: nothing is held against it.
    Beside(RwLockReadGuard<'static, ()>),
    /// A process has ended while it ran, perhaps because of another: from then on nothing else runs alone beside it, so
    /// that only the event a process really ends over is charged again.
    Apart(RwLockWriteGuard<'static, ()>),
}

/// Waits until this event may run alone.
///
/// # Errors
/// What Postgres says.
pub(super) async fn alone(subscription: &str, event_id: Uuid, db: &PgPool) -> sqlx::Result<Alone> {
    let deaths: Option<i32> =
        sqlx::query_scalar(DEATHS_OF).bind(subscription).bind(event_id).fetch_optional(db).await?;
    Ok(match deaths {
        Some(1..) => Alone::Apart(ALONE.write().await),
        _ => Alone::Beside(ALONE.read().await),
    })
}

/// Notes that an event no longer runs as `owner`'s, and that this says nothing about it.
///
/// # Errors
/// What Postgres says.
pub async fn interrupted(lane: &Lane, event: &Delivered, owner: Uuid, db: &PgPool) -> sqlx::Result<()> {
    sqlx::query(INTERRUPTED).bind(&lane.subscription).bind(event.event_id).bind(owner).execute(db).await?;
    Ok(())
}

/// Forgets tries of events that went on without their row being noticed, once they are older than `keep`. Those of parked
/// streams stay.
///
/// # Errors
/// What Postgres says.
pub async fn forget(keep: Duration, db: &PgPool) -> sqlx::Result<u64> {
    Ok(sqlx::query(FORGET).bind(keep.as_secs_f64()).execute(db).await?.rows_affected())
}

/// Forgets the tries of events that took effect or were given up, in the transaction in which they did.
///
/// # Errors
/// What Postgres says.
pub async fn clear(subscription: &str, events: &[Uuid], db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(CLEAR).bind(subscription).bind(events).execute(db).await?;
    Ok(())
}

/// Charges every event of a partition that runs alone as somebody else: whoever held the partition has ended, and not in
/// an orderly way. Called when a worker has claimed the partition. Answers how many were charged.
///
/// # Errors
/// What Postgres says.
pub async fn charge(lane: &Lane, owner: Uuid, db: &PgPool) -> sqlx::Result<u64> {
    let charged = sqlx::query(CHARGE)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(owner)
        .execute(db)
        .await?;
    Ok(charged.rows_affected())
}
