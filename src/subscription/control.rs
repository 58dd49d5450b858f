//! What operators ask of a subscription: to stand still, to go on, to begin at another place. Rows and nothing else:
//! workers see them in their next transaction, in whichever process they run.
//!
//! Every function is called with the transaction of the operator's action, so that it is done together with its audit row.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{FromRow, PgConnection, PgPool};

pub use super::hold::Hold;
use super::{Lane, breaker};
use crate::contracts::{Position, topics};

const NAMES: &str = include_str!("sql/consumer_names.sql");
const LANES: &str = include_str!("sql/lanes_of.sql");
const HOLD: &str = include_str!("sql/hold_locked.sql");
const HOLDS: &str = include_str!("sql/holds.sql");
const PAUSE: &str = include_str!("sql/pause.sql");
const RESUME: &str = include_str!("sql/resume.sql");
const STOPS_WITH: &str = include_str!("sql/stops_with.sql");
const PLACE: &str = include_str!("sql/place_locked.sql");
const SEEK: &str = include_str!("sql/seek.sql");

/// Consumers that have ever claimed a partition of a topic.
///
/// # Errors
/// What Postgres says.
pub async fn names(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(NAMES).fetch_all(db).await
}

/// Topic partitions that a consumer has ever claimed.
///
/// # Errors
/// What Postgres says.
pub async fn lanes(subscription: &str, db: &mut PgConnection) -> sqlx::Result<Vec<(String, i16)>> {
    sqlx::query_as(LANES).bind(subscription).fetch_all(db).await
}

/// What holds a subscription, locked until the transaction ends.
///
/// # Errors
/// What Postgres says.
pub async fn held(subscription: &str, db: &mut PgConnection) -> sqlx::Result<Hold> {
    let hold: Option<Hold> = sqlx::query_as(HOLD).bind(subscription).fetch_optional(db).await?;
    Ok(hold.unwrap_or_default())
}

/// What holds each subscription that anything has ever held.
///
/// # Errors
/// What Postgres says.
pub async fn holds(db: &PgPool) -> sqlx::Result<Vec<Hold>> {
    sqlx::query_as(HOLDS).fetch_all(db).await
}

/// What stands still together with a subscription, besides its partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct StopsWith {
    /// Parked streams whose next try is not made.
    pub parked_streams: i64,
    /// Replays that wait with what is left of them.
    pub replays: i64,
}

/// What stands still together with a subscription.
///
/// # Errors
/// What Postgres says.
pub async fn stops_with(subscription: &str, db: &mut PgConnection) -> sqlx::Result<StopsWith> {
    sqlx::query_as(STOPS_WITH).bind(subscription).fetch_one(db).await
}

/// Holds a subscription until somebody resumes it, whatever restarts meanwhile; `None` if somebody has paused it before,
/// whose name and reason stay.
///
/// # Errors
/// What Postgres says.
pub async fn pause(
    subscription: &str,
    by: &str,
    why: &str,
    db: &mut PgConnection,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar(PAUSE).bind(subscription).bind(by).bind(why).fetch_optional(db).await
}

/// Lets a subscription go on, whether an operator or the breaker holds it; `false` if neither does. What the breaker has
/// counted until now is answered for, and not held against it again.
///
/// # Errors
/// What Postgres says.
pub async fn resume(subscription: &str, db: &mut PgConnection) -> sqlx::Result<bool> {
    let outcomes = breaker::outcomes(subscription, &mut *db).await?;
    let resumed: Option<String> =
        sqlx::query_scalar(RESUME).bind(subscription).bind(outcomes).fetch_optional(db).await?;
    Ok(resumed.is_some())
}

/// Where a subscription stands in one partition of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Place {
    /// Offset of the record to be read next.
    pub next_offset: i64,
    /// Last position applied.
    pub position: Position,
    /// Number of claims so far.
    pub epoch: i64,
    /// Records before this offset come again because an operator moved the place back.
    pub sought_until: Option<i64>,
}

/// Where a subscription stands, locked until the transaction ends; `None` if it has never claimed that partition.
///
/// # Errors
/// What Postgres says.
pub async fn place(lane: &Lane, db: &mut PgConnection) -> sqlx::Result<Option<Place>> {
    sqlx::query_as(PLACE).bind(&lane.subscription).bind(&lane.source).bind(lane.partition).fetch_optional(db).await
}

/// Lets a subscription read a partition from `next_offset` on. Its worker has an older epoch from then on, so it is fenced
/// and the next one begins there. The last position stays: what was applied is known and not applied again.
///
/// # Errors
/// What Postgres says; [`sqlx::Error::RowNotFound`] if it has never claimed that partition.
pub async fn seek(lane: &Lane, next_offset: i64, db: &mut PgConnection) -> sqlx::Result<i64> {
    let at = sqlx::query_scalar(SEEK).bind(&lane.subscription).bind(&lane.source).bind(lane.partition);
    at.bind(next_offset).fetch_one(db).await
}

/// Whether records of a topic that come again are known by their position; those of a mirrored topic are known by the
/// ledger alone.
#[must_use]
pub fn is_known_by_position(topic: &str) -> bool {
    !topics::streams_of(topic).is_empty()
}
