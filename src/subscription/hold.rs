//! What holds a subscription: an operator's pause, or the breaker. A row, so it outlives every process; the fence of each
//! transaction looks at it, so a held subscription applies nothing more.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

const HOLD: &str = include_str!("sql/hold.sql");

/// Why a subscription applies nothing.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Hold {
    /// Since when an operator has paused it.
    pub paused_at: Option<DateTime<Utc>>,
    /// Which operator.
    pub paused_by: Option<String>,
    /// Their reason.
    pub paused_why: Option<String>,
    /// Since when the breaker holds it.
    pub tripped_at: Option<DateTime<Utc>>,
    /// What the breaker saw.
    pub tripped_why: Option<String>,
}

impl std::fmt::Display for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.tripped_why, &self.paused_by, &self.paused_why) {
            (Some(why), ..) => write!(f, "the breaker has stopped it: {why}"),
            (None, Some(by), Some(why)) => write!(f, "{by} has paused it: {why}"),
            _ => f.write_str("it is paused"),
        }
    }
}

/// What holds it now; `None` if nothing does.
///
/// # Errors
/// What Postgres says.
pub async fn of(subscription: &str, db: impl PgExecutor<'_>) -> sqlx::Result<Option<Hold>> {
    sqlx::query_as(HOLD).bind(subscription).fetch_optional(db).await
}
