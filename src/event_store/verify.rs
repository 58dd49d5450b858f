//! `ordo log verify`: are positions and versions without holes, and does every stream live where its key says?
//!
//! Works in key ranges with short statements, since one old snapshot makes every append slower.

use serde::Serialize;
use sqlx::PgPool;

use super::partition::{PartitionError, Partitions, heads};
use crate::contracts::Position;

const POSITIONS: &str = include_str!("sql/verify_positions.sql");
const VERSIONS: &str = include_str!("sql/verify_versions.sql");
const RANGE: i64 = 5_000;
/// Offenders named one by one; the rest is only counted.
const NAMED: usize = 20;

/// What was looked at and what was wrong.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Events read.
    pub events: u64,
    /// Streams read.
    pub streams: u64,
    /// How much was wrong.
    pub violations: u64,
    /// The first of it, in words.
    pub examples: Vec<String>,
}

impl Report {
    fn violation(&mut self, what: impl FnOnce() -> String) {
        self.violations += 1;
        if self.examples.len() < NAMED {
            self.examples.push(what());
        }
    }
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many events have been read, partition after partition.
    Events(u64),
    /// So many streams have been read, after all events.
    Streams(u64),
}

/// Reads the whole log and compares it with its promises. `progress` hears after each range how far it is.
///
/// # Errors
/// [`PartitionError`] if the heads cannot be read or Postgres does not answer.
pub async fn verify(db: &PgPool, progress: impl Fn(Step)) -> Result<Report, PartitionError> {
    let partitions = Partitions::load(db).await?;
    let mut report = Report::default();
    for (partition, head) in heads(db).await? {
        verify_partition(db, partitions, partition, head, &mut report, &progress).await?;
    }
    verify_streams(db, &mut report, &progress).await?;
    Ok(report)
}

async fn verify_partition(
    db: &PgPool,
    partitions: Partitions,
    partition: i16,
    head: Position,
    report: &mut Report,
    progress: &impl Fn(Step),
) -> sqlx::Result<()> {
    let mut last: Position = 0;
    loop {
        let rows: Vec<(Position, String, i32, String)> =
            sqlx::query_as(POSITIONS).bind(partition).bind(last).bind(RANGE).fetch_all(db).await?;
        let Some((end, ..)) = rows.last() else { break };
        let end = *end;
        for (position, stream_id, version, key) in rows {
            if position != last + 1 {
                report.violation(|| format!("partition {partition}: after position {last} comes {position}"));
            }
            if partitions.of(&key) != partition {
                report.violation(|| format!("{stream_id} version {version}: its key {key} belongs elsewhere"));
            }
            last = position;
            report.events += 1;
        }
        progress(Step::Events(report.events));
        debug_assert_eq!(last, end);
    }
    if last < head {
        report.violation(|| format!("partition {partition}: the head says {head}, the last event is {last}"));
    }
    Ok(())
}

async fn verify_streams(db: &PgPool, report: &mut Report, progress: &impl Fn(Step)) -> sqlx::Result<()> {
    let mut after = String::new();
    loop {
        let rows: Vec<(String, i32, i32, i64, i64)> =
            sqlx::query_as(VERSIONS).bind(&after).bind(RANGE).fetch_all(db).await?;
        let Some((end, ..)) = rows.last() else {
            return Ok(());
        };
        after.clone_from(end);
        for (stream_id, first, last, events, partitions) in rows {
            report.streams += 1;
            if first != 1 || i64::from(last) != events {
                report.violation(|| format!("{stream_id}: versions {first} to {last}, but {events} events"));
            }
            if partitions != 1 {
                report.violation(|| format!("{stream_id}: lives in {partitions} partitions"));
            }
        }
        progress(Step::Streams(report.streams));
    }
}
