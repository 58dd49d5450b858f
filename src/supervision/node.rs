//! Processes in Postgres: `node` and `node_summary`. Each writes its own rows; any of them reads all.

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::history::History;
use super::workload;
use crate::clock;

const REGISTER: &str = include_str!("sql/register_node.sql");
const BEAT: &str = include_str!("sql/beat.sql");
const SUMMARISE: &str = include_str!("sql/summarise_node.sql");
const STOP: &str = include_str!("sql/stop_node.sql");
const LIST: &str = include_str!("sql/list_nodes.sql");
const SUMMARIES: &str = include_str!("sql/node_summaries.sql");
const PRUNE: &str = include_str!("sql/prune_nodes.sql");

/// This process, as it introduces itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its own id, new at each start.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// What it runs.
    pub roles: Vec<String>,
    /// What it was built from.
    pub build: String,
    /// Its ops listener.
    pub address: String,
}

/// What is known of a process by its last sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Life {
    /// It has been heard of within the silence allowed.
    Alive,
    /// It has not been heard of: what it does is unknown since its last sign of life.
    Unknown,
    /// It ended as it was told to.
    Stopped,
}

/// A process as others see it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Its id.
    pub node_id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether it lives.
    pub life: Life,
    /// What it runs.
    pub roles: Vec<String>,
    /// What it was built from.
    pub build: String,
    /// Its ops listener.
    pub address: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Its last sign of life.
    pub heartbeat_at: DateTime<Utc>,
    /// How long ago that was, in seconds.
    pub silent_seconds: f64,
    /// How far its clock is ahead of Postgres', in milliseconds; negative if behind.
    pub clock_ahead_ms: i64,
}

#[derive(FromRow)]
struct Row {
    node_id: Uuid,
    name: String,
    roles: Vec<String>,
    build: String,
    address: String,
    started_at: DateTime<Utc>,
    heartbeat_at: DateTime<Utc>,
    stopped_at: Option<DateTime<Utc>>,
    clock_ahead_ms: i64,
    silent_seconds: f64,
}

/// The actors of a process and what each kind has to do, as it wrote them.
#[derive(Debug)]
pub struct Summary {
    /// Which process.
    pub node_id: Uuid,
    /// What it is called.
    pub node: String,
    /// When, by Postgres' clock.
    pub at: DateTime<Utc>,
    /// Its tree, as JSON.
    pub tree: Value,
    /// Its workload, as JSON.
    pub workload: Value,
}

/// Introduces a process, or gives a sign of life of one that is known; one that was taken for stopped lives again.
///
/// # Errors
/// What Postgres says.
pub async fn beat(node: &Node, db: &PgPool) -> sqlx::Result<()> {
    let beaten = sqlx::query(BEAT).bind(node.id).bind(clock::now()).execute(db).await?.rows_affected();
    if beaten == 0 {
        sqlx::query(REGISTER)
            .bind(node.id)
            .bind(&node.name)
            .bind(&node.roles)
            .bind(&node.build)
            .bind(&node.address)
            .bind(clock::now())
            .execute(db)
            .await?;
    }
    Ok(())
}

/// Writes what the actors of this process do, so that others can show it.
///
/// # Errors
/// What Postgres says.
pub async fn summarise(node: &Node, history: &History, db: &PgPool) -> sqlx::Result<()> {
    let tree: Vec<_> = history.tree().nodes().cloned().collect();
    let as_json = |error| sqlx::Error::Encode(Box::new(error));
    sqlx::query(SUMMARISE)
        .bind(node.id)
        .bind(serde_json::to_string(&tree).map_err(as_json)?)
        .bind(serde_json::to_string(&workload::kinds()).map_err(as_json)?)
        .execute(db)
        .await?;
    Ok(())
}

/// Says that this process ends as it was told to.
///
/// # Errors
/// What Postgres says.
pub async fn stop(node: &Node, db: &PgPool) -> sqlx::Result<()> {
    sqlx::query(STOP).bind(node.id).execute(db).await?;
    Ok(())
}

/// Every process heard of within a day, those alive first.
///
/// # Errors
/// What Postgres says.
pub async fn list(silent_after: Duration, db: &PgPool) -> sqlx::Result<Vec<Seen>> {
    let rows: Vec<Row> = sqlx::query_as(LIST).fetch_all(db).await?;
    let mut nodes: Vec<Seen> = rows.into_iter().map(|row| row.seen(silent_after)).collect();
    nodes.sort_by_key(|node| (node.life != Life::Alive, std::cmp::Reverse(node.heartbeat_at)));
    Ok(nodes)
}

/// What every process but `me` wrote of its actors.
///
/// # Errors
/// What Postgres says, or a summary that is no JSON.
pub async fn summaries(me: Uuid, db: &PgPool) -> sqlx::Result<Vec<Summary>> {
    let rows: Vec<(Uuid, String, DateTime<Utc>, String, String)> =
        sqlx::query_as(SUMMARIES).bind(me).fetch_all(db).await?;
    let json = |text: String| serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(Box::new(error)));
    rows.into_iter()
        .map(|(node_id, node, at, tree, workload)| {
            Ok(Summary { node_id, node, at, tree: json(tree)?, workload: json(workload)? })
        })
        .collect()
}

/// Forgets processes not heard of for a day.
///
/// # Errors
/// What Postgres says.
pub async fn prune(db: &PgPool) -> sqlx::Result<u64> {
    Ok(sqlx::query(PRUNE).execute(db).await?.rows_affected())
}

impl Row {
    fn seen(self, silent_after: Duration) -> Seen {
        let life = match self.stopped_at {
            Some(_) => Life::Stopped,
            None if self.silent_seconds > silent_after.as_secs_f64() => Life::Unknown,
            None => Life::Alive,
        };
        Seen {
            node_id: self.node_id,
            name: self.name,
            life,
            roles: self.roles,
            build: self.build,
            address: self.address,
            started_at: self.started_at,
            heartbeat_at: self.heartbeat_at,
            silent_seconds: self.silent_seconds,
            clock_ahead_ms: self.clock_ahead_ms,
        }
    }
}
