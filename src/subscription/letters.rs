//! Looking dead letters up: lists, groups of the same cause, and all of one.

mod content;
mod detail;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

pub use content::Content;
pub use detail::{Detail, Follower, Header, detail, export, row};

const LIST: &str = include_str!("sql/letters_list.sql");
const GROUPS: &str = include_str!("sql/letters_groups.sql");

/// Most groups of one answer.
const MOST_GROUPS: i64 = 100;

/// What has become of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    Open,
    /// Its event took effect in a replay.
    Resolved,
    /// An operator gave it up for good.
    Discarded,
}

impl State {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Discarded => "discarded",
        }
    }
}

/// Which letters; what is `None` does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whose.
    pub consumer: Option<String>,
    /// Of one cause.
    pub fingerprint: Option<String>,
    /// Of one type.
    pub event_type: Option<String>,
    /// Of one stream.
    pub stream: Option<String>,
    /// That failed last at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// That failed last before this time.
    pub until: Option<DateTime<Utc>>,
    /// That stand there.
    pub state: Option<State>,
}

/// Binds a filter as the statements of this folder name it: `$1` to `$7`.
macro_rules! filtered {
    ($query:expr, $filter:expr) => {
        $query
            .bind(&$filter.consumer)
            .bind(&$filter.fingerprint)
            .bind(&$filter.event_type)
            .bind(&$filter.stream)
            .bind($filter.since)
            .bind($filter.until)
            .bind($filter.state.map($crate::subscription::letters::State::as_str))
    };
}
pub(super) use filtered;

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Which letter.
    pub letter_id: Uuid,
    /// Whose.
    pub consumer: String,
    /// `open`, `resolved` or `discarded`.
    pub state: String,
    /// Its cause.
    pub fingerprint: String,
    /// Its type; none for a record that is no event.
    pub event_type: Option<String>,
    /// Its stream.
    pub stream: Option<String>,
    /// Its number in that stream.
    pub version: Option<i32>,
    /// The beginning of the error.
    pub error: String,
    /// Replays that failed.
    pub replays: i32,
    /// Events of its stream that wait behind it.
    pub waiting: i32,
    /// When it failed last.
    pub last_failed_at: DateTime<Utc>,
}

/// Letters of the same cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Whose.
    pub consumer: String,
    /// Their cause.
    pub fingerprint: String,
    /// How many.
    pub letters: i64,
    /// How many streams have one.
    pub streams: i64,
    /// Events that wait behind them.
    pub waiting: i64,
    /// Their type.
    pub event_type: Option<String>,
    /// Where they failed: `decode`, `guard` or `handle`.
    pub stage: String,
    /// Short name of the error.
    pub error_type: String,
    /// Where the failure began: the place of a panic in the code, else what the event was read from.
    pub origin: String,
    /// The beginning of the newest error.
    pub error: String,
    /// When the first of them failed first.
    pub first_failed_at: DateTime<Utc>,
    /// When the last of them failed last.
    pub last_failed_at: DateTime<Utc>,
}

/// Letters, newest first.
///
/// # Errors
/// What Postgres says.
pub async fn list(filter: &Filter, limit: u32, db: &PgPool) -> sqlx::Result<Vec<Line>> {
    filtered!(sqlx::query_as(LIST), filter).bind(i64::from(limit)).fetch_all(db).await
}

/// Letters by cause, the biggest group first, 100 at most.
///
/// # Errors
/// What Postgres says.
pub async fn groups(filter: &Filter, db: &PgPool) -> sqlx::Result<Vec<Group>> {
    filtered!(sqlx::query_as(GROUPS), filter).bind(MOST_GROUPS).fetch_all(db).await
}
