//! Who did what, when and why: `operation`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

const WRITE: &str = include_str!("sql/write_operation.sql");
const RECENT: &str = include_str!("sql/recent_operations.sql");

/// One thing an operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its id.
    pub operation_id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// The name of the token, or `local`.
    pub caller: String,
    /// What they were allowed.
    pub role: String,
    /// What they did.
    pub action: String,
    /// Why.
    pub reason: String,
    /// What they asked for, as JSON.
    pub args: String,
    /// What it was to touch, as JSON.
    pub plan: String,
    /// What it did, as JSON.
    pub outcome: String,
    /// The process that did it.
    pub node: String,
}

/// Writes it, in the transaction of its effect.
///
/// # Errors
/// What Postgres says.
pub async fn write(operation: &Operation, tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(WRITE)
        .bind(operation.operation_id)
        .bind(&operation.caller)
        .bind(&operation.role)
        .bind(&operation.action)
        .bind(&operation.reason)
        .bind(&operation.args)
        .bind(&operation.plan)
        .bind(&operation.outcome)
        .bind(&operation.node)
        .execute(tx)
        .await?;
    Ok(())
}

/// What was done last, newest first.
///
/// # Errors
/// What Postgres says.
pub async fn recent(action: Option<&str>, limit: u32, db: &PgPool) -> sqlx::Result<Vec<Operation>> {
    sqlx::query_as(RECENT).bind(action).bind(i64::from(limit)).fetch_all(db).await
}
