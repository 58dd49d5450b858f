//! Durable places: (subscription, source, partition) → next offset, last position, and who may move it.
//!
//! The epoch is the fence: it rises with each claim, and only the holder of the newest moves the place.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::contracts::Position;

const CLAIM: &str = include_str!("sql/claim.sql");
const CLAIM_LEASE: &str = include_str!("sql/claim_lease.sql");
const FENCE: &str = include_str!("sql/fence.sql");
const RENEW: &str = include_str!("sql/renew.sql");
const RELEASE: &str = include_str!("sql/release.sql");
const MAY_MOVE: &str = include_str!("sql/may_move.sql");
const EPOCH: &str = include_str!("sql/epoch.sql");
const CLEARED: &str = include_str!("sql/cleared.sql");
const POSITIONS: &str = include_str!("sql/positions.sql");
const POSITION: &str = include_str!("sql/position.sql");
const CHECKPOINTS: &str = include_str!("sql/checkpoints.sql");
const NOTED: &str = include_str!("sql/noted.sql");
const NOTE_CLUSTER: &str = include_str!("sql/note_cluster.sql");
const LOCK_PLACE: &str = include_str!("sql/lock_place.sql");
const NOTE_PUBLISHED: &str = include_str!("sql/note_published.sql");

/// The subscription that publishes the log.
pub const RELAY: &str = "relay";
/// The source of everything that follows the log itself.
pub const LOG: &str = "log";

/// One partition as one subscription follows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane {
    /// Who follows.
    pub subscription: String,
    /// What: a topic, or [`LOG`].
    pub source: String,
    /// Which partition of it.
    pub partition: i16,
}

impl std::fmt::Display for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {} partition {}", self.subscription, self.source, self.partition)
    }
}

/// The right to move a checkpoint, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Claim {
    /// Rises with each claim.
    pub epoch: i64,
    /// Where to read on.
    pub next_offset: i64,
    /// Last position known; the truth about what was applied.
    pub position: Position,
    /// Known events before this offset come again because an operator moved the place back; 0 if none did.
    #[sqlx(default)]
    pub sought_until: i64,
    /// Two processes ended here and moved nothing: what comes next and was recorded before this time, which is after the
    /// first of them had ended, runs event by event.
    #[sqlx(default)]
    pub suspect_before: Option<DateTime<Utc>>,
}

/// A checkpoint as operators see it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Checkpoint {
    /// Who follows.
    pub subscription: String,
    /// What.
    pub source: String,
    /// Which partition.
    pub partition: i16,
    /// Where to read on.
    pub next_offset: i64,
    /// Last position applied.
    pub position: Position,
    /// Number of claims so far.
    pub epoch: i64,
    /// Who may move it.
    pub owner: Option<Uuid>,
    /// Until when nobody else may claim it.
    pub lease_until: Option<DateTime<Utc>>,
    /// When it last moved.
    pub moved_at: DateTime<Utc>,
}

/// Makes `owner` the only one who may move this checkpoint, whoever held it: who that is, Kafka's group has decided.
///
/// # Errors
/// What Postgres says.
pub async fn claim(lane: &Lane, owner: Uuid, db: &PgPool) -> sqlx::Result<Claim> {
    sqlx::query_as(CLAIM)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(owner)
        .fetch_one(db)
        .await
}

/// The events that two processes ended over have run one by one: nothing is suspect any more.
///
/// # Errors
/// What Postgres says.
pub async fn cleared(lane: &Lane, epoch: i64, db: &PgPool) -> sqlx::Result<()> {
    sqlx::query(CLEARED)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(epoch)
        .execute(db)
        .await?;
    Ok(())
}

/// Makes `owner` the only one who may move this checkpoint for `lease`; `None` while another lease holds.
///
/// # Errors
/// What Postgres says.
pub async fn claim_lease(lane: &Lane, owner: Uuid, lease: Duration, db: &PgPool) -> sqlx::Result<Option<Claim>> {
    sqlx::query_as(CLAIM_LEASE)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(owner)
        .bind(lease.as_secs_f64())
        .fetch_optional(db)
        .await
}

/// Moves the checkpoint within the effect's transaction; `false` if an older owner asks, who must stop.
///
/// # Errors
/// What Postgres says.
pub async fn advance(
    lane: &Lane,
    epoch: i64,
    next_offset: i64,
    position: Position,
    lease: Option<Duration>,
    db: &mut PgConnection,
) -> sqlx::Result<bool> {
    let moved: Option<Position> = sqlx::query_scalar(FENCE)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(epoch)
        .bind(next_offset)
        .bind(position)
        .bind(lease.map(|lease| lease.as_secs_f64()))
        .fetch_optional(db)
        .await?;
    Ok(moved.is_some())
}

/// Keeps the lease while nothing moves; `false` if another owner has taken over.
///
/// # Errors
/// What Postgres says.
pub async fn renew(lane: &Lane, epoch: i64, lease: Duration, db: &PgPool) -> sqlx::Result<bool> {
    let held: Option<i64> = sqlx::query_scalar(RENEW)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(epoch)
        .bind(lease.as_secs_f64())
        .fetch_optional(db)
        .await?;
    Ok(held.is_some())
}

/// Whether the claim of this epoch is still the newest.
///
/// # Errors
/// What Postgres says.
pub async fn is_held(lane: &Lane, epoch: i64, db: &PgPool) -> sqlx::Result<bool> {
    let newest: Option<i64> = sqlx::query_scalar(EPOCH)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .fetch_optional(db)
        .await?;
    Ok(newest == Some(epoch))
}

/// Whether a place may be moved under this claim: it is the newest, and nothing holds the subscription.
///
/// # Errors
/// What Postgres says.
pub async fn may_move(lane: &Lane, epoch: i64, db: &PgPool) -> sqlx::Result<bool> {
    let may: Option<bool> = sqlx::query_scalar(MAY_MOVE)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(epoch)
        .fetch_optional(db)
        .await?;
    Ok(may.is_some())
}

/// Lets the next owner in at once.
///
/// # Errors
/// What Postgres says.
pub async fn release(lane: &Lane, epoch: i64, db: &PgPool) -> sqlx::Result<()> {
    sqlx::query(RELEASE)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(epoch)
        .execute(db)
        .await?;
    Ok(())
}

/// Last position a subscription has applied; `None` if it has never begun.
///
/// # Errors
/// What Postgres says.
pub async fn position(db: &PgPool, subscription: &str, source: &str, partition: i16) -> sqlx::Result<Option<Position>> {
    sqlx::query_scalar(POSITION).bind(subscription).bind(source).bind(partition).fetch_optional(db).await
}

/// Last position applied of each of a source's `count` partitions, in their order; 0 where none was.
///
/// # Errors
/// What Postgres says.
pub async fn positions(
    subscription: &str,
    source: &str,
    count: u16,
    db: impl PgExecutor<'_>,
) -> sqlx::Result<Vec<Position>> {
    sqlx::query_scalar(POSITIONS).bind(subscription).bind(source).bind(i32::from(count)).fetch_all(db).await
}

/// Where a follower stands in one partition, and lets it go no further until the transaction ends.
///
/// # Errors
/// What Postgres says.
pub async fn lock_place(
    subscription: &str,
    source: &str,
    partition: i16,
    tx: &mut PgConnection,
) -> sqlx::Result<Option<Position>> {
    sqlx::query_scalar(LOCK_PLACE).bind(subscription).bind(source).bind(partition).fetch_optional(tx).await
}

/// Every checkpoint.
///
/// # Errors
/// What Postgres says.
pub async fn all(db: &PgPool) -> sqlx::Result<Vec<Checkpoint>> {
    sqlx::query_as(CHECKPOINTS).fetch_all(db).await
}

/// Offset after the last acknowledged record of each topic, as the relay noted it.
///
/// # Errors
/// What Postgres says.
pub async fn noted(subscription: &str, partition: i16, db: &PgPool) -> sqlx::Result<Vec<Acknowledged>> {
    sqlx::query_as(NOTED).bind(subscription).bind(partition).fetch_all(db).await
}

/// Notes which Kafka cluster a partition is published to; answers with the one noted before.
///
/// # Errors
/// What Postgres says.
pub async fn note_cluster(lane: &Lane, cluster: &str, db: &PgPool) -> sqlx::Result<Option<String>> {
    let before: Option<Option<String>> = sqlx::query_scalar(NOTE_CLUSTER)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(cluster)
        .fetch_optional(db)
        .await?;
    Ok(before.flatten())
}

/// How far one topic has been acknowledged by the broker.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Acknowledged {
    /// The topic.
    #[sqlx(rename = "source")]
    pub topic: String,
    /// Offset after the last acknowledged record.
    pub next_offset: i64,
    /// Position of the last acknowledged record.
    pub position: Position,
}

/// Notes for each topic the last acknowledged offset and position, in the transaction that moves the relay's place.
///
/// # Errors
/// What Postgres says.
pub async fn note_published(
    subscription: &str,
    partition: i16,
    topics: &[Acknowledged],
    db: &mut PgConnection,
) -> sqlx::Result<()> {
    sqlx::query(NOTE_PUBLISHED)
        .bind(subscription)
        .bind(topics.iter().map(|topic| topic.topic.as_str()).collect::<Vec<_>>())
        .bind(partition)
        .bind(topics.iter().map(|topic| topic.next_offset).collect::<Vec<_>>())
        .bind(topics.iter().map(|topic| topic.position).collect::<Vec<_>>())
        .execute(db)
        .await?;
    Ok(())
}
