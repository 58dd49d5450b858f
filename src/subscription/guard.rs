//! The guard: per stream, is an event the next one? The ledger knows ids; the guard knows order and gaps.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;

use super::checkpoint;
use crate::contracts::topics;

const OPEN: &str = include_str!("sql/guard_open.sql");
const READ: &str = include_str!("sql/guard_read.sql");
const WRITE: &str = include_str!("sql/guard_write.sql");

/// How an event stands to what its consumer has seen of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The next one.
    Next,
    /// Seen already, or behind what was seen: without effect.
    Regression,
    /// Versions are missing before it.
    Gap {
        /// The version that should have come.
        expected: i32,
    },
}

/// Whether events of this source come in the order of their streams, all of them: on topics that mirror types they do
/// not, and there the ledger alone keeps watch.
#[must_use]
pub fn watches(source: &str) -> bool {
    source == checkpoint::LOG || !topics::streams_of(source).is_empty()
}

/// Compares a version with the last one seen; 0 if none was.
#[must_use]
pub fn judge(seen: i32, version: i32) -> Order {
    match version {
        next if next == seen + 1 => Order::Next,
        old if old <= seen => Order::Regression,
        _ => Order::Gap { expected: seen + 1 },
    }
}

/// An event whose stream has a gap before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {version} of {stream_id} came where {expected} should have; versions are missing")]
pub struct StreamGap {
    /// The stream.
    pub stream_id: String,
    /// What came.
    pub version: i32,
    /// What should have come.
    pub expected: i32,
}

/// Last version seen of each of these streams; absent if none.
///
/// # Errors
/// What Postgres says.
pub async fn seen(subscription: &str, streams: &[&str], db: &mut PgConnection) -> sqlx::Result<HashMap<String, i32>> {
    let rows: Vec<(String, i32)> = sqlx::query_as(READ).bind(subscription).bind(streams).fetch_all(db).await?;
    Ok(rows.into_iter().collect())
}

/// Enters streams of which nothing has been seen, with their versions, and answers which those were; the guards of the
/// others stay.
///
/// # Errors
/// What Postgres says.
pub async fn open(
    subscription: &str,
    streams: &HashMap<&str, i32>,
    db: &mut PgConnection,
) -> sqlx::Result<HashSet<String>> {
    let opened: Vec<String> = sqlx::query_scalar(OPEN)
        .bind(subscription)
        .bind(streams.keys().copied().collect::<Vec<_>>())
        .bind(streams.values().copied().collect::<Vec<_>>())
        .fetch_all(db)
        .await?;
    Ok(opened.into_iter().collect())
}

/// Moves the guard of each stream to its version, never back.
///
/// # Errors
/// What Postgres says.
pub async fn note(subscription: &str, streams: &HashMap<&str, i32>, db: &mut PgConnection) -> sqlx::Result<()> {
    if streams.is_empty() {
        return Ok(());
    }
    sqlx::query(WRITE)
        .bind(subscription)
        .bind(streams.keys().copied().collect::<Vec<_>>())
        .bind(streams.values().copied().collect::<Vec<_>>())
        .execute(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_next_version_passes() {
        assert_eq!(judge(0, 1), Order::Next);
        assert_eq!(judge(3, 4), Order::Next);
        assert_eq!(judge(3, 3), Order::Regression);
        assert_eq!(judge(3, 1), Order::Regression);
        assert_eq!(judge(3, 5), Order::Gap { expected: 4 });
        assert_eq!(judge(0, 2), Order::Gap { expected: 1 });
    }
}
