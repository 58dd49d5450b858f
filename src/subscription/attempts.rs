//! Tries of events that failed alone: rows, written before such an event runs, so that a crash, a kill and a rebalance
//! count as well and forget nothing.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{Delivered, Failure, Lane};

const BEGIN: &str = include_str!("sql/attempt_begin.sql");
const FAILED: &str = include_str!("sql/attempt_failed.sql");
const INTERRUPTED: &str = include_str!("sql/attempt_interrupted.sql");
const CLEAR: &str = include_str!("sql/attempt_clear.sql");
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

/// Notes that an event no longer runs, and that its end says nothing about it.
///
/// # Errors
/// What Postgres says.
pub async fn interrupted(lane: &Lane, event: &Delivered, db: &PgPool) -> sqlx::Result<()> {
    sqlx::query(INTERRUPTED).bind(&lane.subscription).bind(event.event_id).execute(db).await?;
    Ok(())
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
