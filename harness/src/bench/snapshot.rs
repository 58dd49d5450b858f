//! An open transaction with an old snapshot: Postgres may not clean up any row version that it could still see.

use std::time::{Duration, Instant};

use anyhow::Context;
use sqlx::{Connection, PgConnection};

/// Dropping it ends the session, and with it the transaction.
pub struct Snapshot {
    session: PgConnection,
    taken: Instant,
}

impl Snapshot {
    pub async fn take(database_url: &str) -> anyhow::Result<Self> {
        let mut session =
            PgConnection::connect(database_url).await.context("could not open a session to hold a snapshot in")?;
        // The first query takes the snapshot, not BEGIN.
        for statement in [
            "SET idle_in_transaction_session_timeout = 0",
            "BEGIN ISOLATION LEVEL REPEATABLE READ",
            "SELECT pg_current_snapshot()",
        ] {
            sqlx::query(statement).execute(&mut session).await.context("could not take a snapshot")?;
        }
        Ok(Self { session, taken: Instant::now() })
    }

    /// Gives it up; for how long it was held.
    ///
    /// # Errors
    /// Somebody ended the session meanwhile, so it is not known what was measured.
    pub async fn release(mut self) -> anyhow::Result<Duration> {
        let held = self.taken.elapsed();
        let ended = sqlx::query("COMMIT").execute(&mut self.session).await;
        ended.context("the snapshot was lost while it was to be held: see Postgres' log for who ended its session")?;
        Ok(held)
    }
}
