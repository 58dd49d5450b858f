//! The ledger: event ids a consumer has processed. Insert all, keep what is new.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::Lane;

const INSERT: &str = include_str!("sql/ledger_insert.sql");
const PRUNE: &str = include_str!("sql/ledger_prune.sql");

/// What the ledger says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It took effect.
    Applied,
    /// It was given up on; a dead letter holds it.
    Dead,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Dead => "dead",
        }
    }
}

/// Enters events into the ledger and answers which of them are new to it.
///
/// # Errors
/// What Postgres says.
pub async fn enter(
    lane: &Lane,
    next_offset: i64,
    events: &[(Uuid, State)],
    db: &mut PgConnection,
) -> sqlx::Result<HashSet<Uuid>> {
    let new: Vec<Uuid> = sqlx::query_scalar(INSERT)
        .bind(&lane.subscription)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(next_offset)
        .bind(events.iter().map(|event| event.0).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.1.as_str()).collect::<Vec<_>>())
        .fetch_all(db)
        .await?;
    Ok(new.into_iter().collect())
}

/// Forgets applied events older than `keep`, at most `limit`; answers how many.
///
/// # Errors
/// What Postgres says.
pub async fn prune(keep: Duration, limit: i64, db: &PgPool) -> sqlx::Result<u64> {
    Ok(sqlx::query(PRUNE).bind(keep.as_secs_f64()).bind(limit).execute(db).await?.rows_affected())
}
