//! All of one letter.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::{Content, Filter, filtered};
use crate::contracts::Position;
use crate::subscription::dead_letter::{DeadLetter, history};

const DETAIL: &str = include_str!("../sql/letter_detail.sql");
const FOLLOWERS: &str = include_str!("../sql/letter_followers.sql");
const ROW: &str = include_str!("../sql/letter_row.sql");
const EXPORT: &str = include_str!("../sql/letters_export.sql");

/// Most followers shown of one letter.
const MOST_FOLLOWERS: i64 = 100;

/// A header of the original record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Its name; one may repeat.
    pub name: String,
    /// Its value; one may be absent.
    pub value: Option<Content>,
}

/// An event that waits behind a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Follower {
    /// Its number in the stream.
    pub version: i32,
    /// Its type.
    pub event_type: String,
    /// Its id.
    pub event_id: Uuid,
    /// Since when.
    pub parked_at: DateTime<Utc>,
}

/// All of one letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    /// Which letter.
    pub letter_id: Uuid,
    /// Whose.
    pub consumer: String,
    /// `open`, `resolved` or `discarded`.
    pub state: String,
    /// The same for letters of the same cause.
    pub fingerprint: String,
    /// The event; none for a record that is no event of the log.
    pub event_id: Option<Uuid>,
    /// Its type.
    pub event_type: Option<String>,
    /// Its stream.
    pub stream: Option<String>,
    /// Its number in that stream.
    pub version: Option<i32>,
    /// Its position in the log partition.
    pub position: Option<Position>,
    /// The topic it came from; `log` where it came from the log itself.
    pub source: String,
    /// The partition it came from.
    pub partition: i16,
    /// The offset it came from; the position where it came from the log itself.
    pub offset: i64,
    /// The time of its record.
    pub source_time: Option<DateTime<Utc>>,
    /// Class of the failure.
    pub class: String,
    /// Where it failed: `decode`, `guard` or `handle`.
    pub stage: String,
    /// Short name of the error.
    pub error_type: String,
    /// The error and its causes.
    pub error: String,
    /// Where the failure began: the place of a panic in the code, else what the event was read from.
    pub origin: String,
    /// Tries in all.
    pub attempts: i32,
    /// First failure.
    pub first_failed_at: DateTime<Utc>,
    /// Last failure.
    pub last_failed_at: DateTime<Utc>,
    /// The build that gave it up.
    pub build: String,
    /// Replays that failed.
    pub replays: i32,
    /// Failures after the first, newest last, five at most.
    pub history: Vec<history::LaterFailure>,
    /// The trace its event belongs to.
    pub trace_id: Option<String>,
    /// What the last replay asked for changes in the payload, as a JSON patch (RFC 6902).
    pub patch: Option<Value>,
    /// When it was resolved or discarded.
    pub ended_at: Option<DateTime<Utc>>,
    /// By whom.
    pub ended_by: Option<String>,
    /// Why.
    pub ended_why: Option<String>,
    /// Whether it has been published to the topic of dead letters as it is now.
    pub published: bool,
    /// The original key.
    pub key: Option<Content>,
    /// The original value.
    pub payload: Option<Content>,
    /// The original headers, in order.
    pub headers: Vec<Header>,
    /// How many events of its stream wait behind it.
    pub waiting: i32,
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    letter: DeadLetter,
    state: String,
    patch: Option<String>,
    ended_at: Option<DateTime<Utc>>,
    ended_by: Option<String>,
    ended_why: Option<String>,
    published: bool,
    waiting: i32,
}

#[derive(FromRow)]
struct Waiting {
    version: i32,
    event_type: Option<Vec<u8>>,
    event_id: Uuid,
    parked_at: DateTime<Utc>,
}

/// All of one letter with the events that wait behind it, in stream order, 100 at most; `None` if there is none.
///
/// # Errors
/// What Postgres says.
pub async fn detail(letter_id: Uuid, db: &PgPool) -> sqlx::Result<Option<(Detail, Vec<Follower>)>> {
    let row: Option<Row> = sqlx::query_as(DETAIL).bind(letter_id).fetch_optional(db).await?;
    let Some(row) = row else { return Ok(None) };
    let followers: Vec<Waiting> = sqlx::query_as(FOLLOWERS).bind(letter_id).bind(MOST_FOLLOWERS).fetch_all(db).await?;
    let followers = followers.into_iter().map(|waiting| Follower {
        version: waiting.version,
        event_type: waiting.event_type.map(|name| String::from_utf8_lossy(&name).into_owned()).unwrap_or_default(),
        event_id: waiting.event_id,
        parked_at: waiting.parked_at,
    });
    Ok(Some((row.detail(Content::shown), followers.collect())))
}

/// Whole letters behind the letter `after`, in the order they were written, at most `limit` and about 8 MiB; payload and
/// key as they came. To be asked again with the last one's id, until nothing comes.
///
/// # Errors
/// What Postgres says.
pub async fn export(filter: &Filter, after: Option<Uuid>, limit: u32, db: &PgPool) -> sqlx::Result<Vec<Detail>> {
    let rows: Vec<Row> =
        filtered!(sqlx::query_as(EXPORT), filter).bind(after).bind(i64::from(limit)).fetch_all(db).await?;
    Ok(rows.into_iter().map(|row| row.detail(Content::kept)).collect())
}

impl Row {
    fn detail(self, content: fn(&[u8]) -> Content) -> Detail {
        let letter = self.letter;
        let trace_id = letter.trace_id();
        let headers = letter.header_names.into_iter().zip(letter.header_values);
        Detail {
            letter_id: letter.id,
            consumer: letter.subscription,
            state: self.state,
            fingerprint: letter.fingerprint,
            event_id: letter.event_id,
            event_type: letter.event_type,
            stream: letter.stream_id,
            version: letter.version,
            position: letter.position,
            source: letter.source,
            partition: letter.partition,
            offset: letter.source_offset,
            source_time: letter.source_time,
            class: letter.class,
            stage: letter.stage,
            error_type: letter.error_type,
            error: letter.error,
            origin: letter.origin,
            attempts: letter.attempts,
            first_failed_at: letter.first_failed_at,
            last_failed_at: letter.last_failed_at,
            build: letter.build,
            replays: letter.replays,
            history: history::read(&letter.history),
            trace_id,
            patch: self.patch.and_then(|patch| serde_json::from_str(&patch).ok()),
            ended_at: self.ended_at,
            ended_by: self.ended_by,
            ended_why: self.ended_why,
            published: self.published,
            key: letter.record_key.as_deref().map(Content::kept),
            payload: letter.payload.as_deref().map(content),
            headers: headers.map(|(name, value)| Header { name, value: value.as_deref().map(Content::kept) }).collect(),
            waiting: self.waiting,
        }
    }
}

/// A letter as it was written, to be handed to its handler.
///
/// # Errors
/// What Postgres says.
pub async fn row(letter_id: Uuid, db: &PgPool) -> sqlx::Result<Option<DeadLetter>> {
    sqlx::query_as(ROW).bind(letter_id).fetch_optional(db).await
}
