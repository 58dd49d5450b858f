//! How a consumer stands to one event: has it come to it, what became of it, and what is in its way.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{FromRow, PgExecutor, PgPool};
use uuid::Uuid;

use super::checkpoint::{LOG, RELAY};
use super::control::{self, Hold};
use super::lag::LOOKED_AT;
use super::overview::{self, ParkedStream};
use crate::contracts::{Position, RecordedEvent, topics};
use crate::event_store;

const PLACE_OF: &str = include_str!("sql/place_of.sql");
const LEDGER_STATE: &str = include_str!("sql/ledger_state.sql");
const LEDGER_OF: &str = include_str!("sql/ledger_of.sql");
const HELD_BACK: &str = include_str!("sql/held_back.sql");
const PATCHED: &str = include_str!("sql/patched.sql");
const LETTER_BEFORE: &str = include_str!("sql/letter_before.sql");

/// Events, by stream and version, that a consumer has passed without applying them: set aside with their stream, or given
/// up and not replayed.
///
/// # Errors
/// What Postgres says.
pub async fn held_back(consumer: &str, db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(String, i32)>> {
    sqlx::query_as(HELD_BACK).bind(consumer).fetch_all(db).await
}

/// Events, by stream and version, that a consumer has applied as a patch had changed them, with that JSON patch: for as long
/// as their letters are kept.
///
/// # Errors
/// What Postgres says.
pub async fn patched(consumer: &str, db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(String, i32, String)>> {
    sqlx::query_as(PATCHED).bind(consumer).fetch_all(db).await
}

/// What a ledger says of an event.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Entry {
    /// Which event.
    pub event_id: Uuid,
    /// Whose ledger.
    pub consumer: String,
    /// What became of it.
    pub state: String,
    /// The topic that brought it.
    pub topic: String,
    /// Its partition there.
    pub partition: i16,
    /// Its offset there.
    pub offset: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// How often it came again, and was suppressed.
    pub duplicates: i32,
    /// Why it came again last.
    pub last_cause: Option<String>,
    /// The letter it became.
    pub letter_id: Option<Uuid>,
}

/// What every ledger says of these events; one that is silent has not come to them, or has forgotten them by age.
///
/// # Errors
/// What Postgres says.
pub async fn entries(events: &[Uuid], db: &PgPool) -> sqlx::Result<Vec<Entry>> {
    sqlx::query_as(LEDGER_OF).bind(events).fetch_all(db).await
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The consumer has not come to it yet.
    NotReached,
    /// It took effect, or the consumer reads no such type.
    Applied,
    /// It waits in its stream, which is set aside.
    Parked,
    /// It became a dead letter.
    Dead,
    /// It became a dead letter, and an operator discarded it: it never takes effect.
    Discarded,
    /// The consumer has passed it; the ledger has forgotten how, as it does with what was applied.
    Passed,
}

/// A dead letter in an event's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Letter {
    /// Which.
    #[sqlx(rename = "id")]
    pub letter_id: Uuid,
    /// Its stream; none for a record that names none.
    pub stream_id: Option<String>,
    /// Version of the event it holds.
    pub version: Option<i32>,
    /// Type of the event it holds.
    pub event_type: Option<String>,
    /// Class of the failure.
    pub class: String,
    /// The failure.
    pub error: String,
    /// When it failed last.
    pub last_failed_at: DateTime<Utc>,
}

/// How a consumer stands to an event.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Whose.
    pub consumer: String,
    /// The topic that brings the event.
    pub topic: String,
    /// What became of the event.
    pub outcome: Outcome,
    /// Last position the consumer has passed in that partition; 0 if it never began.
    pub position: Position,
    /// Events of the topic that come before it.
    pub before: i64,
    /// Whether there may be more of them: only so many are counted.
    pub is_more: bool,
    /// The process that claimed the partition last and has not given it back.
    #[serde(skip)]
    #[schemars(skip)]
    pub owner: Option<Uuid>,
    /// When the consumer last moved there.
    pub moved_at: Option<DateTime<Utc>>,
    /// What holds the consumer.
    pub hold: Hold,
    /// Its stream, if that is set aside.
    pub parked: Option<ParkedStream>,
    /// The open dead letter in its way: its own, or the one its stream waits behind.
    pub letter: Option<Letter>,
}

/// How far the relay is from an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Relay {
    /// Last position of the partition that every topic concerned has acknowledged.
    pub position: Position,
    /// Events before this one that it has yet to publish, and this one; 0 once it is published.
    pub behind: i64,
    /// Whether a process holds the lease, and so publishes.
    pub is_led: bool,
    /// When it last moved.
    pub moved_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, FromRow)]
struct Place {
    position: Position,
    owner: Option<Uuid>,
    moved_at: DateTime<Utc>,
    has_run_out: bool,
}

async fn place(subscription: &str, source: &str, partition: i16, db: &PgPool) -> sqlx::Result<Option<Place>> {
    sqlx::query_as(PLACE_OF).bind(subscription).bind(source).bind(partition).fetch_optional(db).await
}

/// How far the relay is from an event.
///
/// # Errors
/// What Postgres says.
pub async fn relay(event: &RecordedEvent, db: &PgPool) -> sqlx::Result<Relay> {
    let place = place(RELAY, LOG, event.partition, db).await?;
    let position = place.map_or(0, |place| place.position);
    Ok(Relay {
        position,
        behind: (event.position - position).max(0),
        is_led: place.is_some_and(|place| place.owner.is_some() && !place.has_run_out),
        moved_at: place.map(|place| place.moved_at),
    })
}

/// How `consumer` stands to an event; `None` for an event that no topic holds.
///
/// # Errors
/// What Postgres says.
pub async fn of(consumer: &str, event: &RecordedEvent, db: &PgPool) -> sqlx::Result<Option<Standing>> {
    let Some(topic) = topics::of_stream(&event.stream_id) else {
        return Ok(None);
    };
    // The place first: whatever moved it past the event has written the ledger, which is read afterwards.
    let place = place(consumer, topic, event.partition, db).await?;
    let state: Option<String> =
        sqlx::query_scalar(LEDGER_STATE).bind(consumer).bind(event.id()).fetch_optional(db).await?;
    let position = place.map_or(0, |place| place.position);
    let outcome = outcome_of(state.as_deref(), position >= event.position);
    let ahead = match outcome {
        Outcome::NotReached => before(event, topic, position, db).await?,
        _ => event_store::Ahead::default(),
    };
    let parked = overview::parked_streams(consumer, Some(&event.stream_id), 1, db).await?.pop();
    let letter_id = parked.as_ref().and_then(|parked| parked.letter_id);
    let letter = sqlx::query_as(LETTER_BEFORE).bind(consumer).bind(event.id()).bind(letter_id);
    Ok(Some(Standing {
        consumer: consumer.to_owned(),
        topic: topic.to_owned(),
        outcome,
        position,
        before: ahead.events,
        is_more: ahead.is_more,
        owner: place.and_then(|place| place.owner),
        moved_at: place.map(|place| place.moved_at),
        hold: hold_of(consumer, db).await?,
        parked,
        letter: letter.fetch_optional(db).await?,
    }))
}

/// What a ledger and a place together say of an event.
#[must_use]
pub fn outcome_of(state: Option<&str>, has_passed: bool) -> Outcome {
    match (state, has_passed) {
        (Some("applied"), _) => Outcome::Applied,
        (Some("parked"), _) => Outcome::Parked,
        (Some("dead"), _) => Outcome::Dead,
        (Some("discarded"), _) => Outcome::Discarded,
        (_, true) => Outcome::Passed,
        (_, false) => Outcome::NotReached,
    }
}

/// Events of the topic between a place and an event, neither counted; at most as many rows are looked at as for any lag.
async fn before(
    event: &RecordedEvent,
    topic: &str,
    position: Position,
    db: &PgPool,
) -> sqlx::Result<event_store::Ahead> {
    let between = event.position - position - 1;
    if between <= 0 {
        return Ok(event_store::Ahead::default());
    }
    let place = [(event.partition, position)];
    let ahead = event_store::count_after(db, &place, topics::streams_of(topic), between.min(LOOKED_AT)).await?;
    let ahead = ahead.first().copied().unwrap_or_default();
    Ok(event_store::Ahead { is_more: between > LOOKED_AT, ..ahead })
}

async fn hold_of(consumer: &str, db: &PgPool) -> sqlx::Result<Hold> {
    let holds = control::holds(db).await?;
    Ok(holds.into_iter().find(|hold| hold.subscription == consumer).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_speaks_first_and_the_place_where_it_is_silent() {
        for (state, has_passed, outcome) in [
            (Some("applied"), false, Outcome::Applied),
            (Some("parked"), true, Outcome::Parked),
            (Some("dead"), true, Outcome::Dead),
            (Some("discarded"), true, Outcome::Discarded),
            (None, true, Outcome::Passed),
            (None, false, Outcome::NotReached),
        ] {
            assert_eq!(outcome_of(state, has_passed), outcome, "{state:?}, {has_passed}");
        }
    }
}
