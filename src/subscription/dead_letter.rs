//! Dead letters: events a consumer gave up on, kept with their bytes and the reason. Written in the transaction that
//! moves the checkpoint; published to `dlq.<consumer>` by a flag, so none is lost and none blocks a partition.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
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
    /// Where the failure began.
    pub origin: String,
    /// The same for letters of the same error type, stage, event type and origin.
    pub fingerprint: String,
}

impl DeadLetter {
    /// The letter about an event of the log.
    #[must_use]
    pub fn of_event(id: Uuid, lane: &Lane, delivered: &Delivered, verdict: Verdict) -> Self {
        let event = &delivered.event;
        // An event that filled a hole came from the log: there its place is its position.
        let (source, record) = delivered.as_record(lane);
        let fingerprint = fingerprint(&verdict, Some(&event.event_type));
        Self {
            source,
            event_id: Some(delivered.event_id),
            source_offset: record.offset,
            source_time: record.time,
            fingerprint,
            stream_id: Some(event.stream_id.clone()),
            version: Some(event.version),
            position: Some(event.position),
            event_type: Some(event.event_type.clone()),
            record_key: Some(event.partition_key.clone().into_bytes()),
            payload: Some(event.payload.clone().into_bytes()),
            ..Self::blank(id, lane, record.headers, verdict)
        }
    }

    /// The letter about a record the log does not know.
    #[must_use]
    pub fn of_foreign(id: Uuid, lane: &Lane, record: &Record, verdict: Verdict) -> Self {
        let text = |name| record.header(name).map(|value| String::from_utf8_lossy(value).into_owned());
        Self {
            source_offset: record.offset,
            source_time: record.time,
            fingerprint: fingerprint(&verdict, None),
            event_type: text(envelope::TYPE),
            stream_id: text(envelope::SUBJECT),
            record_key: record.key.clone(),
            payload: record.value.clone(),
            ..Self::blank(id, lane, record.headers.clone(), verdict)
        }
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
            error: verdict.error,
            attempts: verdict.attempts,
            first_failed_at: verdict.first_failed_at,
            last_failed_at: verdict.last_failed_at,
            build: env!("CARGO_PKG_VERSION").to_owned(),
            origin: verdict.origin,
            fingerprint: String::new(),
        }
    }

    /// Headers of its record on `dlq.<consumer>`: the original ones untouched, then ours.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, Option<Vec<u8>>)> {
        let mut headers: Vec<(String, Option<Vec<u8>>)> =
            self.header_names.iter().cloned().zip(self.header_values.iter().cloned()).collect();
        headers.retain(|(name, _)| !name.starts_with("dlq-"));
        let short = |text: &str| text.chars().take(1024).collect::<String>();
        let ours = [
            ("dlq-id", self.id.to_string()),
            ("dlq-consumer", self.subscription.clone()),
            ("dlq-build", self.build.clone()),
            ("dlq-original-topic", self.source.clone()),
            ("dlq-original-partition", self.partition.to_string()),
            ("dlq-original-offset", self.source_offset.to_string()),
            (
                "dlq-original-timestamp",
                self.source_time.map(|at| at.timestamp_millis().to_string()).unwrap_or_default(),
            ),
            ("dlq-stage", self.stage.clone()),
            ("dlq-disposition", self.class.clone()),
            ("dlq-error-type", self.error_type.clone()),
            ("dlq-error-message", short(&self.error)),
            ("dlq-error-chain", self.error.clone()),
            ("dlq-attempts", self.attempts.to_string()),
            ("dlq-first-failed-at", self.first_failed_at.to_rfc3339()),
            ("dlq-last-failed-at", self.last_failed_at.to_rfc3339()),
        ];
        headers.extend(ours.into_iter().map(|(name, value)| (name.to_owned(), Some(value.into_bytes()))));
        headers
    }
}

/// The same for failures of one kind: 12 hexadecimal digits of the SHA-256 of error type, stage, event type and origin.
#[must_use]
pub fn fingerprint(verdict: &Verdict, event_type: Option<&str>) -> String {
    let parts = [verdict.error_type.as_str(), verdict.stage, event_type.unwrap_or_default(), &verdict.origin];
    let digest = Sha256::digest(parts.join("\0"));
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Stores a letter, once per record; it is the `outcome_no`-th event that its subscription has applied or given up.
///
/// # Errors
/// What Postgres says.
pub async fn store(letter: &DeadLetter, outcome_no: i64, db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(INSERT)
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
        .bind(&letter.origin)
        .bind(&letter.fingerprint)
        .bind(outcome_no)
        .execute(db)
        .await?;
    Ok(())
}

/// Letters that are not on their topic yet, oldest first.
///
/// # Errors
/// What Postgres says.
pub async fn unpublished(limit: i64, db: &PgPool) -> sqlx::Result<Vec<DeadLetter>> {
    sqlx::query_as(UNPUBLISHED).bind(limit).fetch_all(db).await
}

/// Notes that the broker has acknowledged these letters.
///
/// # Errors
/// What Postgres says.
pub async fn mark_published(letters: &[Uuid], db: &PgPool) -> sqlx::Result<()> {
    sqlx::query(PUBLISHED).bind(letters).execute(db).await?;
    Ok(())
}

/// How many letters each subscription has.
///
/// # Errors
/// What Postgres says.
pub async fn counts(db: &PgPool) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(COUNTS).fetch_all(db).await
}
