//! Dead letters: events a consumer gave up on, kept with their bytes and the reason. Written in the transaction that
//! moves the checkpoint; published to `dlq.<consumer>` by a flag, so none is lost and none blocks a partition.

mod fingerprint;
mod headers;
pub mod history;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::admit::{Delivered, Foreign};
use super::attempts::Attempt;
use super::{Failure, Lane, Record};
use crate::clock;
use crate::contracts::{Position, envelope};

const INSERT: &str = include_str!("sql/dead_letter_insert.sql");
const UNPUBLISHED: &str = include_str!("sql/dead_letter_unpublished.sql");
const PUBLISHED: &str = include_str!("sql/dead_letter_published.sql");
const COUNTS: &str = include_str!("sql/dead_letter_counts.sql");

pub use fingerprint::fingerprint;

/// What failed, and how often: the history of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The letter's id, if it becomes one.
    pub letter_id: Uuid,
    /// Where the failure began: `file:line` of a panic, else what the event was read from.
    pub origin: String,
    /// Class of the last failure.
    pub class: &'static str,
    /// Where it failed: `decode` or `handle`.
    pub stage: &'static str,
    /// Short name of the error.
    pub error_type: String,
    /// The error and its causes.
    pub error: String,
    /// Tries in all.
    pub attempts: i32,
    /// First failure.
    pub first_failed_at: DateTime<Utc>,
    /// Last failure.
    pub last_failed_at: DateTime<Utc>,
}

impl Verdict {
    /// The verdict on an event whose last try ended in `failure`.
    #[must_use]
    pub fn on(failure: &Failure, lane: &Lane, attempt: &Attempt) -> Self {
        Self {
            letter_id: clock::new_id(),
            origin: failure.origin(&lane.source).to_owned(),
            class: failure.class(),
            stage: match failure {
                Failure::Poison(_) => "decode",
                Failure::Gap(_) => "guard",
                _ => "handle",
            },
            error_type: failure.error_type().to_owned(),
            error: failure.chain(),
            attempts: attempt.attempts.max(1),
            first_failed_at: attempt.first_failed_at,
            last_failed_at: attempt.last_failed_at,
        }
    }

    /// Of an event whose every retry has failed.
    #[must_use]
    pub fn exhausted(self) -> Self {
        Self { class: "exhausted", ..self }
    }

    /// The verdict on a record that is no event of the log.
    #[must_use]
    pub fn on_foreign(reason: &Foreign, lane: &Lane, now: DateTime<Utc>) -> Self {
        let error_type = match reason {
            Foreign::Headers(_) => "foreign_headers",
            Foreign::Value(_) => "foreign_value",
            Foreign::Unknown { .. } => "foreign_event",
        };
        Self {
            letter_id: clock::new_id(),
            origin: lane.source.clone(),
            class: "poison",
            stage: "decode",
            error_type: error_type.to_owned(),
            error: reason.to_string(),
            attempts: 1,
            first_failed_at: now,
            last_failed_at: now,
        }
    }
}

/// A letter as stored.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct DeadLetter {
    /// Which letter.
    pub id: Uuid,
    /// Whose.
    pub subscription: String,
    /// The event, unless the record is foreign.
    pub event_id: Option<Uuid>,
    /// Topic it came from, or `log`.
    pub source: String,
    /// Partition it came from.
    pub partition: i16,
    /// Offset it came from; the position for the log.
    pub source_offset: i64,
    /// The broker's time.
    pub source_time: Option<DateTime<Utc>>,
    /// Its stream.
    pub stream_id: Option<String>,
    /// Its version.
    pub version: Option<i32>,
    /// Its position in the log.
    pub position: Option<Position>,
    /// Its type.
    pub event_type: Option<String>,
    /// The original key.
    pub record_key: Option<Vec<u8>>,
    /// The original value.
    pub payload: Option<Vec<u8>>,
    /// Names of the original headers, in order.
    pub header_names: Vec<String>,
    /// Values of the original headers.
    pub header_values: Vec<Option<Vec<u8>>>,
    /// Class of the last failure.
    pub class: String,
    /// Where it failed.
    pub stage: String,
    /// Short name of the error.
    pub error_type: String,
    /// The error and its causes.
    pub error: String,
    /// Tries in all.
    pub attempts: i32,
    /// First failure.
    pub first_failed_at: DateTime<Utc>,
    /// Last failure.
    pub last_failed_at: DateTime<Utc>,
    /// The build that gave it up.
    pub build: String,
    /// The same for letters of the same cause: see [`fingerprint()`].
    pub fingerprint: String,
    /// Where the failure began.
    pub origin: String,
    /// Replays that failed.
    pub replays: i32,
    /// Failures after the first, as JSON: see [`history`].
    pub history: String,
}

impl DeadLetter {
    /// The letter about an event of the log.
    #[must_use]
    pub fn of_event(id: Uuid, lane: &Lane, delivered: &Delivered, verdict: Verdict) -> Self {
        let event = &delivered.event;
        // An event that filled a hole came from the log: there its place is its position.
        let (source, record) = delivered.as_record(lane);
        Self {
            source,
            event_id: Some(delivered.event_id),
            source_offset: record.offset,
            source_time: record.time,
            stream_id: Some(event.stream_id.clone()),
            version: Some(event.version),
            position: Some(event.position),
            event_type: Some(event.event_type.clone()),
            record_key: Some(event.partition_key.clone().into_bytes()),
            payload: Some(event.payload.clone().into_bytes()),
            ..Self::blank(id, lane, record.headers, verdict)
        }
        .with_fingerprint()
    }

    /// The letter about a record the log does not know.
    #[must_use]
    pub fn of_foreign(id: Uuid, lane: &Lane, record: &Record, verdict: Verdict) -> Self {
        let text = |name| record.header(name).map(|value| storable(&String::from_utf8_lossy(value)));
        Self {
            source_offset: record.offset,
            source_time: record.time,
            event_type: text(envelope::TYPE),
            stream_id: text(envelope::SUBJECT),
            record_key: record.key.clone(),
            payload: record.value.clone(),
            ..Self::blank(id, lane, record.headers.clone(), verdict)
        }
        .with_fingerprint()
    }

    fn with_fingerprint(self) -> Self {
        let fingerprint = fingerprint(&self.error_type, &self.stage, self.event_type.as_deref(), &self.origin);
        Self { fingerprint, ..self }
    }

    fn blank(id: Uuid, lane: &Lane, headers: Vec<(String, Option<Vec<u8>>)>, verdict: Verdict) -> Self {
        let (header_names, header_values) = headers.into_iter().unzip();
        Self {
            id,
            subscription: lane.subscription.clone(),
            event_id: None,
            source: lane.source.clone(),
            partition: lane.partition,
            source_offset: 0,
            source_time: None,
            stream_id: None,
            version: None,
            position: None,
            event_type: None,
            record_key: None,
            payload: None,
            header_names,
            header_values,
            class: verdict.class.to_owned(),
            stage: verdict.stage.to_owned(),
            error_type: verdict.error_type,
            error: storable(&verdict.error),
            attempts: verdict.attempts,
            first_failed_at: verdict.first_failed_at,
            last_failed_at: verdict.last_failed_at,
            build: env!("CARGO_PKG_VERSION").to_owned(),
            fingerprint: String::new(),
            origin: verdict.origin,
            replays: 0,
            history: "[]".to_owned(),
        }
    }
}

/// Text as Postgres takes it: the only character it refuses is replaced.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The beginning of `text`, at most `bytes` long, and no character cut in two.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Stores a letter, once per record, and says whether it is new; it is the `outcome_no`-th event that its subscription has applied or given up.
///
/// # Errors
/// What Postgres says.
pub async fn store(letter: &DeadLetter, outcome_no: i64, db: &mut PgConnection) -> sqlx::Result<bool> {
    let stored = sqlx::query(INSERT)
        .bind(letter.id)
        .bind(&letter.subscription)
        .bind(letter.event_id)
        .bind(&letter.source)
        .bind(letter.partition)
        .bind(letter.source_offset)
        .bind(letter.source_time)
        .bind(&letter.stream_id)
        .bind(letter.version)
        .bind(letter.position)
        .bind(&letter.event_type)
        .bind(&letter.record_key)
        .bind(&letter.payload)
        .bind(&letter.header_names)
        .bind(&letter.header_values)
        .bind(&letter.class)
        .bind(&letter.stage)
        .bind(&letter.error_type)
        .bind(&letter.error)
        .bind(letter.attempts)
        .bind(letter.first_failed_at)
        .bind(letter.last_failed_at)
        .bind(&letter.build)
        .bind(&letter.fingerprint)
        .bind(&letter.origin)
        .bind(outcome_no)
        .execute(db)
        .await?;
    Ok(stored.rows_affected() == 1)
}

/// Letters that are not on their topic yet, oldest first.
///
/// # Errors
/// What Postgres says.
pub async fn unpublished(limit: i64, db: &PgPool) -> sqlx::Result<Vec<DeadLetter>> {
    sqlx::query_as(UNPUBLISHED).bind(limit).fetch_all(db).await
}

/// Notes that the broker has acknowledged these letters, as they were read: one whose replay has failed since goes out
/// once more.
///
/// # Errors
/// What Postgres says.
pub async fn mark_published(letters: &[DeadLetter], db: &PgPool) -> sqlx::Result<()> {
    sqlx::query(PUBLISHED)
        .bind(letters.iter().map(|letter| letter.id).collect::<Vec<_>>())
        .bind(letters.iter().map(|letter| letter.replays).collect::<Vec<_>>())
        .execute(db)
        .await?;
    Ok(())
}

/// How many letters each subscription has.
///
/// # Errors
/// What Postgres says.
pub async fn counts(db: &PgPool) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(COUNTS).fetch_all(db).await
}
