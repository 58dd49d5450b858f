//! What holds a subscription: an operator's pause, or the breaker. A row, so it outlives every process; the fence of each
//! transaction looks at it, so a held subscription applies nothing more.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{FromRow, PgExecutor};

const HOLD: &str = include_str!("sql/hold.sql");

/// What holds a subscription; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Which subscription.
    #[serde(skip)]
    #[schemars(skip)]
    pub subscription: String,
    /// When an operator paused it.
    pub paused_at: Option<DateTime<Utc>>,
    /// Who did.
    pub paused_by: Option<String>,
    /// Why.
    pub paused_why: Option<String>,
    /// When the breaker stopped it.
    pub tripped_at: Option<DateTime<Utc>>,
    /// Why.
    pub tripped_why: Option<String>,
}

impl Hold {
    /// Whether it stands still because of any of it.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.paused_at.is_some() || self.tripped_at.is_some()
    }
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
