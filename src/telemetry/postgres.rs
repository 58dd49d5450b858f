//! Facts of Postgres, as somebody sees them who only looks.

use std::time::Duration;

use super::names;

/// Whether it answers.
pub fn reachable(answers: bool) {
    metrics::gauge!(names::POSTGRES_REACHABLE).set(f64::from(u8::from(answers)));
}

/// Age of its oldest transaction.
pub fn oldest_transaction(age: Duration) {
    metrics::gauge!(names::POSTGRES_OLDEST_TRANSACTION_SECONDS).set(age.as_secs_f64());
}

/// Connections of the shared pool: in use, idle, and the most there may be.
pub fn pool(used: u32, idle: u32, limit: u32) {
    for (state, connections) in [("used", used), ("idle", idle), ("limit", limit)] {
        metrics::gauge!(names::POSTGRES_POOL_CONNECTIONS, "state" => state).set(f64::from(connections));
    }
}
