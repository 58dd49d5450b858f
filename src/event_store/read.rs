//! Reading streams and single places of the log.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool};

use crate::contracts::{Position, RecordedEvent};

const READ_STREAM: &str = include_str!("sql/read_stream.sql");
const READ_PREFIX: &str = include_str!("sql/read_prefix.sql");
const KINDS: &str = include_str!("sql/kinds.sql");
const NEWEST: &str = include_str!("sql/newest.sql");
const READ_STREAMS: &str = include_str!("sql/read_streams.sql");
const READ_BETWEEN: &str = include_str!("sql/read_between.sql");
const LAST_OF_TYPE: &str = include_str!("sql/last_of_type.sql");
const LAST_OF_PREFIXES: &str = include_str!("sql/last_of_prefixes.sql");
const POSITIONS_OF: &str = include_str!("sql/positions_of.sql");
const FIRST_AFTER: &str = include_str!("sql/first_after.sql");
const COUNT_AFTER: &str = include_str!("sql/count_after.sql");
const KNOWN: &str = include_str!("sql/known.sql");
const KNOWN_BETWEEN: &str = include_str!("sql/known_between.sql");
/// Places are read as one range while it holds no more than so many positions for each: a look-up costs several times
/// what a neighbour in a range does, and records with rubbish in them may be any distance apart.
const RANGE_POSITIONS: i64 = 4;

/// The events of one stream after a version, oldest first, at most `limit`.
///
/// # Errors
/// What Postgres says.
pub async fn stream(
    db: impl PgExecutor<'_>,
    stream_id: &str,
    after: i32,
    limit: i64,
) -> sqlx::Result<Vec<RecordedEvent>> {
    sqlx::query_as(READ_STREAM).bind(stream_id).bind(after).bind(limit).fetch_all(db).await
}

/// All events of several streams, by stream and version.
///
/// # Errors
/// What Postgres says.
pub async fn streams(db: impl PgExecutor<'_>, stream_ids: &[String]) -> sqlx::Result<Vec<RecordedEvent>> {
    sqlx::query_as(READ_STREAMS).bind(stream_ids).fetch_all(db).await
}

/// The first `most` events strictly between two positions whose streams have one of `prefixes`: what a topic should have
/// held there.
///
/// # Errors
/// What Postgres says.
pub async fn between(
    db: &PgPool,
    partition: i16,
    after: Position,
    before: Position,
    prefixes: &[&str],
    most: usize,
) -> sqlx::Result<Vec<RecordedEvent>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    sqlx::query_as(READ_BETWEEN).bind(partition).bind(after).bind(before).bind(prefixes).bind(most).fetch_all(db).await
}

/// The last position up to `upto` of an event of this type; 0 if there is none.
///
/// # Errors
/// What Postgres says.
pub async fn last_of_type(db: &PgPool, partition: i16, upto: Position, event_type: &str) -> sqlx::Result<Position> {
    let found: Option<Position> =
        sqlx::query_scalar(LAST_OF_TYPE).bind(partition).bind(upto).bind(event_type).fetch_optional(db).await?;
    Ok(found.unwrap_or(0))
}

/// Positions after one and up to another whose streams have one of `prefixes`, of one event type if that is named.
///
/// # Errors
/// What Postgres says.
pub async fn positions_of(
    db: &PgPool,
    partition: i16,
    after: Position,
    upto: Position,
    prefixes: &[&str],
    event_type: Option<&str>,
) -> sqlx::Result<Vec<Position>> {
    let asked = sqlx::query_scalar(POSITIONS_OF).bind(partition).bind(after).bind(upto);
    asked.bind(prefixes).bind(event_type).fetch_all(db).await
}

/// The last position up to `upto` whose stream has one of `prefixes`; 0 if there is none.
///
/// # Errors
/// What Postgres says.
pub async fn last_of_prefixes(
    db: &PgPool,
    partition: i16,
    upto: Position,
    prefixes: &[&str],
) -> sqlx::Result<Position> {
    let found: Option<Position> =
        sqlx::query_scalar(LAST_OF_PREFIXES).bind(partition).bind(upto).bind(prefixes).fetch_optional(db).await?;
    Ok(found.unwrap_or(0))
}

/// The events of every stream whose id begins with `prefix` and a colon, by stream and version, at most `limit`.
///
/// # Errors
/// What Postgres says.
pub async fn streams_below(db: &PgPool, prefix: &str, limit: i64) -> sqlx::Result<Vec<RecordedEvent>> {
    // A semicolon follows the colon, byte by byte.
    let (first, end) = (format!("{prefix}:"), format!("{prefix};"));
    sqlx::query_as(READ_PREFIX).bind(first).bind(end).bind(limit).fetch_all(db).await
}

/// Which of the newest events are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Only this type.
    pub event_type: Option<&'a str>,
    /// Only streams whose id begins so.
    pub stream: Option<&'a str>,
    /// How many of each partition.
    pub limit: i64,
    /// How many positions of each partition are looked at, whatever is found: a rare type must not read a log to its
    /// beginning.
    pub looked_at: i64,
}

/// The newest events up to these heads that fit, of each partition the newest first.
///
/// # Errors
/// What Postgres says.
pub async fn newest(heads: &[(i16, Position)], wanted: Wanted<'_>, db: &PgPool) -> sqlx::Result<Vec<RecordedEvent>> {
    let (partitions, before): (Vec<i16>, Vec<Position>) =
        heads.iter().map(|(partition, head)| (*partition, head + 1)).unzip();
    sqlx::query_as(NEWEST)
        .bind(partitions)
        .bind(before)
        .bind(wanted.event_type)
        .bind(wanted.stream)
        .bind(wanted.limit)
        .bind(wanted.looked_at)
        .fetch_all(db)
        .await
}

/// How often a type comes.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Kind {
    /// The type.
    pub event_type: String,
    /// Version of its payload's schema.
    pub schema_version: i16,
    /// How many there are of it.
    pub events: i64,
    /// How many a second that is, each partition told over the time its own events took; none where they took none.
    pub per_second: Option<f64>,
}

/// What the newest `looked_at` events of each partition are, up to these heads, the most frequent first.
///
/// # Errors
/// What Postgres says.
pub async fn kinds(heads: &[(i16, Position)], looked_at: i64, db: &PgPool) -> sqlx::Result<Vec<Kind>> {
    let (partitions, heads): (Vec<i16>, Vec<Position>) = heads.iter().copied().unzip();
    sqlx::query_as(KINDS).bind(partitions).bind(heads).bind(looked_at).fetch_all(db).await
}

/// When the event after each of these places was appended; `None` where nothing follows. In their order.
///
/// # Errors
/// What Postgres says.
pub async fn first_after(db: &PgPool, places: &[(i16, Position)]) -> sqlx::Result<Vec<Option<DateTime<Utc>>>> {
    let (partitions, positions): (Vec<i16>, Vec<Position>) = places.iter().copied().unzip();
    let found: Vec<(i64, DateTime<Utc>)> =
        sqlx::query_as(FIRST_AFTER).bind(partitions).bind(positions).fetch_all(db).await?;
    let mut after = vec![None; places.len()];
    for (no, at) in found {
        if let Some(place) = usize::try_from(no - 1).ok().and_then(|index| after.get_mut(index)) {
            *place = Some(at);
        }
    }
    Ok(after)
}

/// What follows a place of the log, as far as was looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Events of the streams asked for.
    pub events: i64,
    /// When the first of them was appended.
    pub oldest: Option<DateTime<Utc>>,
    /// Whether there may be more behind what was looked at, so that `events` is the least there is.
    pub is_more: bool,
}

/// What follows each of these places of streams that have one of `prefixes`, in their order. Looks at `most` rows behind
/// each place and at none beyond, so that it costs the same on a log of any size.
///
/// # Errors
/// What Postgres says.
pub async fn count_after(
    db: &PgPool,
    places: &[(i16, Position)],
    prefixes: &[&str],
    most: i64,
) -> sqlx::Result<Vec<Ahead>> {
    let (partitions, positions): (Vec<i16>, Vec<Position>) = places.iter().copied().unzip();
    let rows: Vec<(i64, i64, Option<DateTime<Utc>>, i64)> =
        sqlx::query_as(COUNT_AFTER).bind(partitions).bind(positions).bind(prefixes).bind(most).fetch_all(db).await?;
    let ahead = |(_, events, oldest, looked_at)| Ahead { events, oldest, is_more: looked_at >= most };
    Ok(rows.into_iter().map(ahead).collect())
}

/// Which of these (position, stream, version) the log does not know at just that place, by index.
///
/// # Errors
/// What Postgres says.
pub async fn unknown(
    db: &mut PgConnection,
    partition: i16,
    places: &[(Position, &str, i32)],
) -> sqlx::Result<Vec<usize>> {
    let first = places.iter().map(|place| place.0).min().unwrap_or(0);
    let last = places.iter().map(|place| place.0).max().unwrap_or(0);
    let most = i64::try_from(places.len()).unwrap_or(i64::MAX).saturating_mul(RANGE_POSITIONS);
    if last.saturating_sub(first) < most {
        let rows: Vec<(Position, String, i32)> =
            sqlx::query_as(KNOWN_BETWEEN).bind(partition).bind(first).bind(last).fetch_all(db).await?;
        let known: HashMap<Position, (&str, i32)> =
            rows.iter().map(|(position, stream_id, version)| (*position, (stream_id.as_str(), *version))).collect();
        let is_unknown = |place: &(Position, &str, i32)| known.get(&place.0) != Some(&(place.1, place.2));
        return Ok((0..places.len()).filter(|index| is_unknown(&places[*index])).collect());
    }
    let positions: Vec<_> = places.iter().map(|place| place.0).collect();
    let streams: Vec<_> = places.iter().map(|place| place.1).collect();
    let versions: Vec<_> = places.iter().map(|place| place.2).collect();
    let known: Vec<i64> =
        sqlx::query_scalar(KNOWN).bind(partition).bind(positions).bind(streams).bind(versions).fetch_all(db).await?;
    if known.len() == places.len() {
        return Ok(Vec::new());
    }
    let known: std::collections::HashSet<usize> =
        known.into_iter().filter_map(|no| usize::try_from(no - 1).ok()).collect();
    Ok((0..places.len()).filter(|index| !known.contains(index)).collect())
}
