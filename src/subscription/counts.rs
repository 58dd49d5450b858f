//! What each partition of a subscription has seen since ever, counted in the transaction in which it happens.

use sqlx::PgConnection;

use super::Lane;

const ADD: &str = include_str!("sql/count_add.sql");

/// What to add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that took effect.
    pub applied: u64,
    /// Events of types it does not read.
    pub skipped: u64,
    /// Duplicates: a record read again.
    pub redelivered: u64,
    /// Duplicates: an event published again.
    pub republished: u64,
    /// Duplicates: read again because an operator moved the place back.
    pub replayed: u64,
    /// Events set aside behind a failure.
    pub parked: u64,
    /// Dead letters.
    pub letters: u64,
    /// Transactions that were rolled back.
    pub retries: u64,
}

/// Adds to the counts of a partition.
///
/// # Errors
/// What Postgres says.
pub async fn add(lane: &Lane, counts: &Counts, db: &mut PgConnection) -> sqlx::Result<()> {
    if *counts == Counts::default() {
        return Ok(());
    }
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    sqlx::query(ADD)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(number(counts.applied))
        .bind(number(counts.skipped))
        .bind(number(counts.redelivered))
        .bind(number(counts.republished))
        .bind(number(counts.replayed))
        .bind(number(counts.parked))
        .bind(number(counts.letters))
        .bind(number(counts.retries))
        .execute(db)
        .await?;
    Ok(())
}
