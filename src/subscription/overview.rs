//! What operators see of consumers: places, lag, counts, streams set aside, letters. Reads, and changes nothing.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::checkpoint::{self, Checkpoint};
use super::control::{self, Hold};
use super::lag::{self, Lag};
use crate::contracts::Position;
use crate::event_store;

const LANE_COUNTS: &str = include_str!("sql/lane_counts.sql");
const PARKED_TOTALS: &str = include_str!("sql/parked_totals.sql");
const OLDEST_PARKED: &str = include_str!("sql/oldest_parked.sql");
const PARKED_STREAMS: &str = include_str!("sql/parked_streams.sql");
const OPEN_LETTERS: &str = include_str!("sql/open_letters.sql");

/// A consumer as the list knows it, whether it ever ran or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Its name.
    pub name: String,
    /// The topics it reads.
    pub topics: Vec<String>,
}

/// What has become of the events of a partition, or of several, since ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Took effect.
    pub applied: i64,
    /// Of types it does not read.
    pub skipped: i64,
    /// Came again because they were read twice.
    pub redelivered: i64,
    /// Came again because they were published twice.
    pub republished: i64,
    /// Came again because an operator moved the place back.
    pub replayed: i64,
    /// Were set aside behind a failure.
    pub parked: i64,
    /// Became dead letters.
    pub letters: i64,
    /// Transactions that were rolled back.
    pub retries: i64,
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, more| Self {
            applied: sum.applied + more.applied,
            skipped: sum.skipped + more.skipped,
            redelivered: sum.redelivered + more.redelivered,
            republished: sum.republished + more.republished,
            replayed: sum.replayed + more.replayed,
            parked: sum.parked + more.parked,
            letters: sum.letters + more.letters,
            retries: sum.retries + more.retries,
        })
    }
}

/// Streams set aside right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Parked {
    /// How many.
    pub streams: i64,
    /// How many of them wait behind a dead letter, for an operator.
    pub behind_letters: i64,
    /// Events they hold back.
    pub events: i64,
}

impl std::iter::Sum for Parked {
    fn sum<I: Iterator<Item = Self>>(parked: I) -> Self {
        parked.fold(Self::default(), |sum, more| Self {
            streams: sum.streams + more.streams,
            behind_letters: sum.behind_letters + more.behind_letters,
            events: sum.events + more.events,
        })
    }
}

/// One topic partition of a consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The topic.
    pub topic: String,
    /// Its partition.
    pub partition: i16,
    /// Its checkpoint; none if nobody has ever claimed it.
    pub place: Option<Place>,
    /// What follows its place.
    pub lag: Lag,
    /// What has become of its events.
    pub counts: Counts,
    /// What is set aside.
    pub parked: Parked,
}

/// A checkpoint of a topic partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Offset of the record to be read next.
    pub next_offset: i64,
    /// Last position applied.
    pub position: Position,
    /// Number of claims so far.
    pub epoch: i64,
    /// The process that claimed it last and has not given it back.
    pub owner: Option<Uuid>,
    /// When it last moved.
    pub moved_at: DateTime<Utc>,
    /// Records before this offset come again because an operator moved the place back.
    pub sought_until: Option<i64>,
}

/// A consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Its name.
    pub name: String,
    /// What holds it.
    pub hold: Hold,
    /// Each partition of each topic it reads, in their order.
    pub lanes: Vec<Lane>,
    /// Dead letters that wait for an operator.
    pub open_letters: i64,
    /// When the oldest event was appended that it has not applied, be it ahead of its place or set aside.
    pub oldest: Option<DateTime<Utc>>,
}

#[derive(FromRow)]
struct CountsRow {
    subscription: String,
    source: String,
    partition: i16,
    sought_until: Option<i64>,
    #[sqlx(flatten)]
    counts: Counts,
}

type Key = (String, String, i16);

/// Everything about each of these consumers, in their order.
///
/// # Errors
/// What Postgres says.
pub async fn overviews(followed: &[Followed], db: &PgPool) -> sqlx::Result<Vec<Overview>> {
    // Places first: what is appended meanwhile makes them look further behind by that much, never ahead.
    let places = checkpoint::all(db).await?;
    let partitions: Vec<i16> = event_store::heads(db).await?.into_iter().map(|(partition, _)| partition).collect();
    let counts = counts(db).await?;
    let parked = parked_totals(db).await?;
    let holds = control::holds(db).await?;
    let letters: Vec<(String, i64)> = sqlx::query_as(OPEN_LETTERS).fetch_all(db).await?;
    let mut overviews = Vec::with_capacity(followed.len());
    for Followed { name, topics } in followed {
        let lanes = lanes(name, topics, &partitions, &places, &counts, &parked);
        let asked: Vec<(&str, i16, Position)> = lanes
            .iter()
            .map(|lane| (lane.topic.as_str(), lane.partition, lane.place.map_or(0, |place| place.position)))
            .collect();
        let lags = lag::behind(&asked, &places, db).await?;
        let lanes: Vec<Lane> = lanes.iter().cloned().zip(lags).map(|(lane, lag)| Lane { lag, ..lane }).collect();
        let has_parked = lanes.iter().any(|lane| lane.parked.events > 0);
        let set_aside = if has_parked { oldest_parked(name, db).await? } else { None };
        overviews.push(Overview {
            name: name.clone(),
            hold: holds.iter().find(|hold| hold.subscription == *name).cloned().unwrap_or_default(),
            open_letters: letters.iter().find(|(of, _)| of == name).map_or(0, |(_, letters)| *letters),
            oldest: lanes.iter().filter_map(|lane| lane.lag.oldest).chain(set_aside).min(),
            lanes,
        });
    }
    Ok(overviews)
}

fn lanes(
    name: &str,
    topics: &[String],
    partitions: &[i16],
    places: &[Checkpoint],
    counts: &HashMap<Key, (Counts, Option<i64>)>,
    parked: &HashMap<Key, Parked>,
) -> Vec<Lane> {
    let lane = |topic: &String, partition: i16| {
        let key = (name.to_owned(), topic.clone(), partition);
        let here =
            |place: &&Checkpoint| place.subscription == name && place.source == *topic && place.partition == partition;
        let (counts, sought_until) = counts.get(&key).copied().unwrap_or_default();
        let place = places.iter().find(here).map(|place| Place {
            next_offset: place.next_offset,
            position: place.position,
            epoch: place.epoch,
            owner: place.owner,
            moved_at: place.moved_at,
            sought_until,
        });
        let parked = parked.get(&key).copied().unwrap_or_default();
        Lane { topic: topic.clone(), partition, place, lag: Lag::default(), counts, parked }
    };
    topics
        .iter()
        .flat_map(|topic| partitions.iter().map(move |partition| (topic, *partition)))
        .map(|(t, p)| lane(t, p))
        .collect()
}

async fn counts(db: &PgPool) -> sqlx::Result<HashMap<Key, (Counts, Option<i64>)>> {
    let rows: Vec<CountsRow> = sqlx::query_as(LANE_COUNTS).fetch_all(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| ((row.subscription, row.source, row.partition), (row.counts, row.sought_until)))
        .collect())
}

async fn parked_totals(db: &PgPool) -> sqlx::Result<HashMap<Key, Parked>> {
    let rows: Vec<(String, String, i16, i64, i64, i64)> = sqlx::query_as(PARKED_TOTALS).fetch_all(db).await?;
    let parked = |(subscription, source, partition, streams, behind_letters, events)| {
        ((subscription, source, partition), Parked { streams, behind_letters, events })
    };
    Ok(rows.into_iter().map(parked).collect())
}

/// When the first event of the stream was appended that was set aside first.
async fn oldest_parked(subscription: &str, db: &PgPool) -> sqlx::Result<Option<DateTime<Utc>>> {
    let head: Option<(String, i32)> = sqlx::query_as(OLDEST_PARKED).bind(subscription).fetch_optional(db).await?;
    let Some((stream_id, version)) = head else {
        return Ok(None);
    };
    let event = event_store::stream(db, &stream_id, version - 1, 1).await?;
    Ok(event.first().map(|event| event.recorded_at))
}

/// A stream set aside.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct ParkedStream {
    /// Which.
    pub stream_id: String,
    /// The topic it came from.
    pub source: String,
    /// Its partition.
    pub partition: i16,
    /// The dead letter it waits behind; none while its head is tried again.
    pub letter_id: Option<Uuid>,
    /// Class of the failure.
    pub class: String,
    /// The failure.
    pub error: String,
    /// Tries since it was set aside.
    pub retries: i32,
    /// Events that wait in it.
    pub depth: i32,
    /// Since when.
    pub parked_at: DateTime<Utc>,
    /// Seconds until its head is tried again; negative if the time has come, none behind a letter.
    pub due_in_seconds: Option<f64>,
}

/// Streams a consumer has set aside, those due next first, at most `limit`; only `stream_id` if that is named.
///
/// # Errors
/// What Postgres says.
pub async fn parked_streams(
    subscription: &str,
    stream_id: Option<&str>,
    limit: i64,
    db: &PgPool,
) -> sqlx::Result<Vec<ParkedStream>> {
    sqlx::query_as(PARKED_STREAMS).bind(subscription).bind(stream_id).bind(limit).fetch_all(db).await
}
