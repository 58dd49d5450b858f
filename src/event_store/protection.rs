//! Whether the role that asks could change what the log holds: history is only as good as the rights on it.

use sqlx::PgPool;

const PROTECTION: &str = include_str!("sql/protection.sql");

/// What one role may do to the log.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Protection {
    /// Which role.
    pub role: String,
    /// It owns the log, is a member of the role that does, or is a superuser: it can give itself any right.
    pub owns: bool,
    /// It may update, delete or truncate events, or change heads by other means than moving a position.
    pub may_change: bool,
}

impl Protection {
    /// Whether this role can only read and append.
    #[must_use]
    pub const fn is_append_only(&self) -> bool {
        !self.owns && !self.may_change
    }
}

/// What the role of this pool may do to the log; `None` if there is no log yet.
///
/// # Errors
/// What Postgres says.
pub async fn protection(db: &PgPool) -> sqlx::Result<Option<Protection>> {
    sqlx::query_as(PROTECTION).fetch_optional(db).await
}
