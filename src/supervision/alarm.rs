//! Alarms in Postgres: `alarm`. Listed until somebody acknowledges them, whichever process saw them.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

use super::node::Node;
use crate::telemetry::alarm::Alarm;

const SAVE: &str = include_str!("sql/save_alarms.sql");
const LIST: &str = include_str!("sql/list_alarms.sql");
const ACKNOWLEDGE: &str = include_str!("sql/acknowledge_alarms.sql");
const FIND: &str = include_str!("sql/find_alarms.sql");
const PRUNE: &str = include_str!("sql/prune_alarms.sql");

/// An alarm as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct StoredAlarm {
    /// Its id.
    pub alarm_id: Uuid,
    /// What kind; its page is `docs/runbooks/<code>.md`.
    pub code: String,
    /// `standing`, `over`, or `unknown` when the process that saw it has gone.
    pub state: String,
    /// Where.
    pub place: String,
    /// Why, as it was last raised.
    pub why: String,
    /// How often it was raised.
    pub times: i64,
    /// Which process saw it.
    pub node: String,
    /// When first.
    pub raised_at: DateTime<Utc>,
    /// When last.
    pub last_at: DateTime<Utc>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
    /// When somebody took note.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// And said what.
    pub acknowledged_why: Option<String>,
}

/// Writes alarms as this process knows them. One that was over and acknowledged, and is raised again, is news.
///
/// # Errors
/// What Postgres says.
pub async fn save(alarms: &[Alarm], node: &Node, db: &PgPool) -> sqlx::Result<()> {
    fn column<'a, T>(alarms: &'a [Alarm], of: impl Fn(&'a Alarm) -> T) -> Vec<T> {
        alarms.iter().map(of).collect()
    }
    sqlx::query(SAVE)
        .bind(node.id)
        .bind(&node.name)
        .bind(column(alarms, |alarm| alarm.id))
        .bind(column(alarms, |alarm| alarm.code))
        .bind(column(alarms, |alarm| alarm.place.replace('\0', "\u{fffd}")))
        .bind(column(alarms, |alarm| alarm.why.replace('\0', "\u{fffd}")))
        .bind(column(alarms, |alarm| i64::try_from(alarm.times).unwrap_or(i64::MAX)))
        .bind(column(alarms, |alarm| alarm.raised_at))
        .bind(column(alarms, |alarm| alarm.last_at))
        .bind(column(alarms, |alarm| alarm.ended_at))
        .execute(db)
        .await?;
    Ok(())
}

/// Alarms of every process, newest first; with `acknowledged`, those too that somebody has taken note of.
///
/// # Errors
/// What Postgres says.
pub async fn list(acknowledged: bool, limit: u32, silent_after: f64, db: &PgPool) -> sqlx::Result<Vec<StoredAlarm>> {
    sqlx::query_as(LIST).bind(acknowledged).bind(i64::from(limit)).bind(silent_after).fetch_all(db).await
}

/// Those of `ids` that nobody has acknowledged yet, locked until the transaction ends.
///
/// # Errors
/// What Postgres says.
pub async fn find_open(ids: &[Uuid], db: &mut PgConnection) -> sqlx::Result<Vec<(Uuid, String, String)>> {
    sqlx::query_as(FIND).bind(ids).fetch_all(db).await
}

/// Takes note of alarms; how many there were that nobody had acknowledged.
///
/// # Errors
/// What Postgres says.
pub async fn acknowledge(ids: &[Uuid], caller: &str, reason: &str, db: &mut PgConnection) -> sqlx::Result<u64> {
    Ok(sqlx::query(ACKNOWLEDGE).bind(ids).bind(caller).bind(reason).execute(db).await?.rows_affected())
}

/// Forgets alarms that have been over and acknowledged for 30 days.
///
/// # Errors
/// What Postgres says.
pub async fn prune(db: &PgPool) -> sqlx::Result<u64> {
    Ok(sqlx::query(PRUNE).execute(db).await?.rows_affected())
}
