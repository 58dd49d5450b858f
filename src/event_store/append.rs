//! Appending: many appends in one statement, accepted or refused one by one.
//!
//! The fast statement knows no conflict. When it meets one (SQLSTATE 23505 on stream and version) the same batch goes
//! once through a function that locks first and decides afterwards. Inside another transaction only the fast statement
//! exists: there a conflict aborts the transaction.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::columns::{Columns, Rows};
use crate::contracts::{Position, RecordedEvent};
use crate::domain::DomainEvent;
use crate::postgres::{self, Fault};

const APPEND: &str = include_str!("sql/append.sql");
const APPEND_CHECKED: &str = include_str!("sql/append_checked.sql");

/// An event about to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Its name.
    pub event_type: &'static str,
    /// Version of its payload's schema.
    pub schema_version: u16,
    /// JSON text.
    pub payload: String,
}

impl<E: DomainEvent> From<&E> for NewEvent {
    fn from(event: &E) -> Self {
        Self { event_type: event.event_type(), schema_version: event.schema_version(), payload: event.to_payload() }
    }
}

/// One to n events of one stream, accepted or refused whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// Random; stored in its rows, so that an append whose outcome was lost recognises itself.
    pub append_id: Uuid,
    /// The stream.
    pub stream_id: String,
    /// Where the stream lives.
    pub partition: i16,
    /// What placed it there.
    pub partition_key: String,
    /// Version of the last event the decision was made on; 0 for a new stream.
    pub expected_version: i32,
    /// At least one.
    pub events: Vec<NewEvent>,
    /// [`crate::contracts::Meta`] as JSON text, the same for all its events.
    pub meta: String,
}

impl Append {
    /// Bytes it takes in a batch.
    #[must_use]
    pub fn size(&self) -> usize {
        self.events.iter().map(|event| event.payload.len() + self.meta.len() + 200).sum()
    }

    /// The events as they stand in the log once accepted at `place`.
    pub fn recorded(self, place: Appended) -> impl Iterator<Item = RecordedEvent> {
        let Self { append_id, stream_id, partition, partition_key, expected_version, events, meta } = self;
        (1..).zip(events).map(move |(n, event)| RecordedEvent {
            partition,
            position: place.first_position + Position::from(n) - 1,
            append_id,
            stream_id: stream_id.clone(),
            version: expected_version + n,
            partition_key: partition_key.clone(),
            event_type: event.event_type.to_owned(),
            schema_version: i16::try_from(event.schema_version).expect("schema versions are small"),
            payload: event.payload,
            meta: meta.clone(),
            recorded_at: place.recorded_at,
        })
    }
}

/// Where an append landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Position of its first event.
    pub first_position: Position,
    /// When, by Postgres' clock.
    pub recorded_at: DateTime<Utc>,
}

/// What became of one append of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Durable.
    Accepted(Appended),
    /// Its stream has moved on; nothing of it was written.
    Conflict,
}

/// What became of a batch as a whole.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Postgres says that the batch was not written, or nobody knows: see [`postgres::classify`].
    #[error("the batch could not be appended")]
    Postgres(#[from] sqlx::Error),
    /// Two rows for one position, or not as many rows as asked: the log must not be written any more.
    #[error("the log is damaged: {0}; stop, and run `ordo log verify`")]
    Corrupt(String),
}

/// Appends a batch that holds at most one append a stream; the outcomes are in its order.
///
/// # Errors
/// [`AppendError`]; after [`AppendError::Postgres`] with a lost connection the outcome is unknown, and the same batch is
/// to be sent again.
pub async fn batch(db: &mut PgConnection, appends: &[Append]) -> Result<Vec<Outcome>, AppendError> {
    match fast(db, appends).await {
        Err(AppendError::Postgres(error)) if postgres::classify(&error) == Fault::VersionTaken => {
            checked(db, appends).await
        }
        done => Ok(done?.into_iter().map(Outcome::Accepted).collect()),
    }
}

/// Appends as the last statement of another transaction: accepted as a whole, or the transaction is to be rolled back.
///
/// # Errors
/// [`AppendError`]; a conflict is a violation of (stream, version), see [`postgres::classify`].
pub async fn within(db: &mut PgConnection, appends: &[Append]) -> Result<Vec<Appended>, AppendError> {
    if appends.is_empty() { Ok(Vec::new()) } else { fast(db, appends).await }
}

async fn fast(db: &mut PgConnection, appends: &[Append]) -> Result<Vec<Appended>, AppendError> {
    let columns = Columns::of(appends);
    let asked = columns.row_partitions.len();
    let query = sqlx::query_as::<_, (i16, Position, DateTime<Utc>, i64, String)>(APPEND)
        .bind(&columns.partitions)
        .bind(&columns.events)
        .bind(&columns.row_partitions)
        .bind(&columns.ordinals)
        .bind(&columns.append_ids)
        .bind(&columns.streams)
        .bind(&columns.rows.versions)
        .bind(&columns.rows.partition_keys)
        .bind(&columns.rows.event_types)
        .bind(&columns.rows.schema_versions)
        .bind(&columns.rows.payloads)
        .bind(&columns.rows.metas);
    let heads = query.fetch_all(db).await.map_err(refine)?;
    let inserted = heads.first().map_or(0, |head| head.3);
    if usize::try_from(inserted) != Ok(asked) {
        return Err(AppendError::Corrupt(format!("{asked} rows were to be written, {inserted} were")));
    }
    let place = |append: usize| {
        let (partition, ordinal) = columns.first_of[append];
        let head = heads.iter().find(|head| head.0 == partition)?;
        Some(Appended { first_position: head.1 + ordinal, recorded_at: head.2 })
    };
    (0..appends.len())
        .map(|append| place(append).ok_or_else(|| AppendError::Corrupt("a partition has no head row".into())))
        .collect()
}

async fn checked(db: &mut PgConnection, appends: &[Append]) -> Result<Vec<Outcome>, AppendError> {
    let rows = Rows::of(appends);
    let answers = sqlx::query_as::<_, (i32, bool, Option<Position>, Option<DateTime<Utc>>)>(APPEND_CHECKED)
        .bind(appends.iter().map(|append| append.append_id).collect::<Vec<_>>())
        .bind(appends.iter().map(|append| append.stream_id.as_str()).collect::<Vec<_>>())
        .bind(appends.iter().map(|append| append.partition).collect::<Vec<_>>())
        .bind(appends.iter().map(|append| append.expected_version + 1).collect::<Vec<_>>())
        .bind(appends.iter().map(|append| counted(append.events.len())).collect::<Vec<_>>())
        .bind(&rows.appends)
        .bind(&rows.versions)
        .bind(&rows.partition_keys)
        .bind(&rows.event_types)
        .bind(&rows.schema_versions)
        .bind(&rows.payloads)
        .bind(&rows.metas)
        .fetch_all(db)
        .await
        .map_err(refine)?;
    if answers.len() != appends.len() {
        return Err(AppendError::Corrupt(format!("{} appends asked, {} answered", appends.len(), answers.len())));
    }
    answers.into_iter().map(|(_, accepted, position, at)| outcome(accepted, position.zip(at))).collect()
}

fn outcome(accepted: bool, place: Option<(Position, DateTime<Utc>)>) -> Result<Outcome, AppendError> {
    match (accepted, place) {
        (true, Some((first_position, recorded_at))) => Ok(Outcome::Accepted(Appended { first_position, recorded_at })),
        (true, None) => Err(AppendError::Corrupt("an accepted append has no position".into())),
        (false, _) => Ok(Outcome::Conflict),
    }
}

/// Two rows for one position cannot happen while the head rows are locked in order; if it does, nothing may go on.
fn refine(error: sqlx::Error) -> AppendError {
    match postgres::classify(&error) {
        Fault::PositionTaken => AppendError::Corrupt(error.to_string()),
        _ => AppendError::Postgres(error),
    }
}

fn counted(n: usize) -> i32 {
    i32::try_from(n).expect("a batch is far smaller than 2^31")
}

/// An event that no topic would take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of {bytes} bytes is larger than the {limit} a topic takes")]
pub struct TooLarge {
    /// Its size, headers included.
    pub bytes: usize,
    /// Most allowed.
    pub limit: usize,
}

/// Refuses what Kafka would refuse: what is in the log must be publishable.
///
/// # Errors
/// [`TooLarge`].
pub fn check_size(append: &Append, limit: usize) -> Result<(), TooLarge> {
    /// What our headers and the record's framing take besides ids, names and meta.
    const HEADERS: usize = 600;
    append.events.iter().try_for_each(|event| {
        let ids = 2 * append.stream_id.len() + append.partition_key.len() + append.meta.len();
        let bytes = event.payload.len() + ids + HEADERS;
        if bytes <= limit { Ok(()) } else { Err(TooLarge { bytes, limit }) }
    })
}

/// The events of several appends with their versions, in order.
pub fn decided(appends: &[Append]) -> impl Iterator<Item = (i32, &NewEvent)> {
    appends.iter().flat_map(|append| (append.expected_version + 1..).zip(&append.events))
}
