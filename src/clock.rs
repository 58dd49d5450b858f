//! The time, and ids made from time or chance: the only place that asks for either.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use uuid::Uuid;

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// How long this process has been up: since the first call, which its start makes.
#[must_use]
pub fn up_for() -> Duration {
    STARTED.elapsed()
}

/// The time now, to the microsecond: what Postgres keeps and every reader gets back.
#[must_use]
pub fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    let now = Utc::now();
    DateTime::from_timestamp_micros(now.timestamp_micros()).expect("the present is within chrono's range")
}

/// A new id, sortable by time.
#[must_use]
pub fn new_id() -> Uuid {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    Uuid::now_v7()
}

/// A random mark: names one append, one owner of a lease.
#[must_use]
pub fn random_id() -> Uuid {
    Uuid::new_v4()
}
