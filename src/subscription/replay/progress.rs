//! How far replays are.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

const LIST: &str = include_str!("../sql/replays_list.sql");

/// A replay as operators see it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Its id.
    pub replay_id: Uuid,
    /// Whose letters.
    pub consumer: String,
    /// `running`, `done`, `stopped` or `failed`.
    pub state: String,
    /// Its letters.
    pub total: i32,
    /// Those that have gone, whatever came of them.
    pub done: i32,
    /// Those that took effect.
    pub applied: i64,
    /// Those that had been resolved or discarded by other means.
    pub skipped: i64,
    /// Most letters a second.
    pub per_second: f32,
    /// How long the rest takes at that rate, in seconds, once its turn has come; none when it has ended.
    pub seconds_left: Option<f64>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// By whom.
    pub requested_by: String,
    /// Why.
    pub why: String,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why, unless all letters have gone.
    pub ended_why: Option<String>,
}

/// Replays, newest first; with `consumer`, only its own.
///
/// # Errors
/// What Postgres says.
pub async fn list(consumer: Option<&str>, limit: u32, db: &PgPool) -> sqlx::Result<Vec<Progress>> {
    sqlx::query_as(LIST).bind(consumer).bind(i64::from(limit)).fetch_all(db).await
}
