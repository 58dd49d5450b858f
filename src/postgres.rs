//! Postgres: pools, migrations, and what its errors mean. The only place that looks at SQLSTATE or constraint names.

mod copy_text;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};

use crate::config::range;

pub use copy_text::CopyText;

const GRANT_TO_SERVICE: &str = include_str!("postgres/sql/grant_to_service.sql");

/// `[postgres]`: where the log and everything else durable lives. `ORDO_POSTGRES__POOL=40` overrides a key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address with the service's role. `DATABASE_URL` names it, too.
    pub url: String,
    /// Most connections of the shared pool, 2 or more; writers have one more each.
    pub pool: u32,
    /// Longest wait for a free connection before a request is answered `503`.
    #[serde(with = "humantime_serde")]
    pub acquire_timeout: Duration,
    /// Longest a statement may run: nothing of the service needs more.
    #[serde(with = "humantime_serde")]
    pub statement_timeout: Duration,
    /// Longest wait for a lock inside a statement.
    #[serde(with = "humantime_serde")]
    pub lock_timeout: Duration,
    /// Longest silence inside a transaction before Postgres ends it: a process that stalls between append and commit
    /// holds a head, and so everyone's acceptance, for no longer than this.
    #[serde(with = "humantime_serde")]
    pub idle_in_transaction_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: String::new(),
            pool: 30,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(3),
            idle_in_transaction_timeout: Duration::from_secs(2),
        }
    }
}

impl Config {
    /// Whether every value is within its range.
    ///
    /// # Errors
    /// In one line: the key, its value, what is expected.
    pub fn check(&self) -> Result<(), String> {
        range::number("postgres.pool", self.pool, 2..=10_000)?;
        let (short, long) = (Duration::from_millis(10), Duration::from_secs(600));
        range::time("postgres.acquire_timeout", self.acquire_timeout, short..=long)?;
        range::time("postgres.statement_timeout", self.statement_timeout, short..=long)?;
        range::time("postgres.lock_timeout", self.lock_timeout, short..=long)?;
        range::time("postgres.idle_in_transaction_timeout", self.idle_in_transaction_timeout, short..=long)
    }
}

impl std::fmt::Debug for Config {
    /// The address holds a password, so it is never printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("pool", &self.pool).finish_non_exhaustive()
    }
}

const OLDEST_TRANSACTION: &str = include_str!("postgres/sql/oldest_transaction.sql");

/// Age of the oldest transaction of the database, whoever holds it.
///
/// # Errors
/// What Postgres says.
pub async fn oldest_transaction(db: &PgPool) -> sqlx::Result<Duration> {
    let seconds: f64 = sqlx::query_scalar(OLDEST_TRANSACTION).fetch_one(db).await?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Why Postgres cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No address.
    #[error("no Postgres is named; set DATABASE_URL, or run `make up` and `source .local/env`")]
    NoAddress,
    /// Not an address.
    #[error("DATABASE_URL is not an address such as postgres://user:password@host:5432/ordo")]
    BadAddress(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the migrations could not be run")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Postgres did not answer.
    #[error("Postgres did not answer")]
    Postgres(#[from] sqlx::Error),
}

/// How the service connects: every session with the time-outs that keep one stalled process from stopping the rest.
///
/// # Errors
/// [`SetupError`] if no usable address is configured.
pub fn connect_options(config: &Config) -> Result<PgConnectOptions, SetupError> {
    if config.url.is_empty() {
        return Err(SetupError::NoAddress);
    }
    let options: PgConnectOptions = config.url.parse().map_err(SetupError::BadAddress)?;
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    Ok(options
        .application_name("ordo")
        .options([
            ("statement_timeout", milliseconds(config.statement_timeout)),
            ("lock_timeout", milliseconds(config.lock_timeout)),
            ("idle_in_transaction_session_timeout", milliseconds(config.idle_in_transaction_timeout)),
            ("tcp_keepalives_idle", "5".to_owned()),
            ("tcp_keepalives_interval", "2".to_owned()),
            ("tcp_keepalives_count", "3".to_owned()),
            ("tcp_user_timeout", "10000".to_owned()),
            ("synchronous_commit", "on".to_owned()),
        ])
        .disable_statement_logging())
}

/// The pool everything but the writers shares. It connects when it is first used, so that a service starts while
/// Postgres is down and recovers without help.
///
/// # Errors
/// [`SetupError`] if no usable address is configured.
pub fn pool(config: &Config) -> Result<PgPool, SetupError> {
    Ok(PgPoolOptions::new()
        .max_connections(config.pool)
        .acquire_timeout(config.acquire_timeout)
        .test_before_acquire(false)
        .connect_lazy_with(connect_options(config)?))
}

/// Brings the schema up to date, as the owner of the database; answers with a pool of the owner's.
///
/// # Errors
/// [`SetupError`].
pub async fn migrate(owner_url: &str) -> Result<PgPool, SetupError> {
    if owner_url.is_empty() {
        return Err(SetupError::NoAddress);
    }
    let options: PgConnectOptions = owner_url.parse().map_err(SetupError::BadAddress)?;
    let db = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options.application_name("ordo migrate"))
        .await?;
    sqlx::migrate!().run(&db).await?;
    Ok(db)
}

/// Lets the role of `service` do what the service does and no more, if it is another than the owner's: it appends to the
/// log and reads it, and cannot change it. `false` if there is one role only, which then may do anything.
///
/// # Errors
/// [`SetupError`], also if there is no such role.
pub async fn grant_to_service(owner: &PgPool, service: &Config) -> Result<bool, SetupError> {
    if service.url.is_empty() {
        return Ok(false);
    }
    let options: PgConnectOptions = service.url.parse().map_err(SetupError::BadAddress)?;
    let role = options.get_username();
    if owner.connect_options().get_username() == role {
        return Ok(false);
    }
    sqlx::query(GRANT_TO_SERVICE).bind(role).execute(owner).await?;
    Ok(true)
}

/// What an error of Postgres means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A stream has moved on: (stream, version) is taken.
    VersionTaken,
    /// Stock has moved on: what was there when it was looked at has been taken.
    StockTaken,
    /// A log position is taken: corruption.
    PositionTaken,
    /// Another transaction was in the way; the same again may succeed.
    Contended,
    /// The connection was lost while an answer was due: nobody knows whether it was done.
    Lost,
    /// Postgres cannot serve now (down, starting, full, out of connections); what was asked was not done.
    Unavailable,
    /// The data does not fit; the same again fails again.
    Rejected,
    /// The statement or the schema is wrong: a bug, or a migration not run.
    Broken,
}

/// The one place where SQLSTATE and constraint names get their meaning.
#[must_use]
pub fn classify(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(database) => {
            classify_sqlstate(database.code().as_deref().unwrap_or_default(), database.constraint())
        }
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => Fault::Lost,
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => Fault::Unavailable,
        _ => Fault::Broken,
    }
}

fn classify_sqlstate(sqlstate: &str, constraint: Option<&str>) -> Fault {
    match (sqlstate, constraint) {
        ("23505", Some("log_stream_version")) => Fault::VersionTaken,
        ("23505", Some("log_position")) => Fault::PositionTaken,
        ("23514", Some(name)) if name.ends_with("_available_not_negative") => Fault::StockTaken,
        // Serialisation failure, deadlock, lock time-out, a unique row two transactions made at once; a statement that took
        // too long or a transaction that sat idle: smaller, it may pass.
        ("40001" | "40P01" | "55P03" | "23505" | "57014" | "25P03", _) => Fault::Contended,
        // Ended by an administrator or by a crash, possibly right after the commit and before its answer.
        ("57P01" | "57P02", _) => Fault::Lost,
        ("57P03" | "25006", _) => Fault::Unavailable,
        (state, _) if ["08", "53", "58"].contains(&&state[..state.len().min(2)]) => Fault::Unavailable,
        (state, _) if ["22", "23"].contains(&&state[..state.len().min(2)]) => Fault::Rejected,
        _ => Fault::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstates_have_one_meaning_each() {
        for (state, constraint, meaning) in [
            ("23505", Some("log_stream_version"), Fault::VersionTaken),
            ("23505", Some("log_position"), Fault::PositionTaken),
            ("23505", Some("other"), Fault::Contended),
            ("40P01", None, Fault::Contended),
            ("57P01", None, Fault::Lost),
            ("57014", None, Fault::Contended),
            ("57P03", None, Fault::Unavailable),
            ("53100", None, Fault::Unavailable),
            ("53300", None, Fault::Unavailable),
            ("08006", None, Fault::Unavailable),
            ("22P02", None, Fault::Rejected),
            ("23514", Some("stock_v1_available_not_negative"), Fault::StockTaken),
            ("23514", Some("stock_v1_reserved_not_negative"), Fault::Rejected),
            ("42P01", None, Fault::Broken),
            ("", None, Fault::Broken),
        ] {
            assert_eq!(classify_sqlstate(state, constraint), meaning, "{state}");
        }
    }
}
