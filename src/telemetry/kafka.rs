//! Facts of the connection to Kafka: told once when it is lost, once when it is back, however many clients notice.

use std::sync::atomic::{AtomicBool, Ordering};

use super::names;

static AWAY: AtomicBool = AtomicBool::new(false);

/// No broker answers a client of this process.
pub fn away(why: &str) {
    if !AWAY.swap(true, Ordering::AcqRel) {
        metrics::gauge!(names::KAFKA_AWAY).set(1.0);
        tracing::warn!(why, "Kafka does not answer; orders are accepted meanwhile and published later");
    }
}

/// A broker has answered.
pub fn answers() {
    if AWAY.load(Ordering::Acquire) && AWAY.swap(false, Ordering::AcqRel) {
        metrics::gauge!(names::KAFKA_AWAY).set(0.0);
        tracing::info!("Kafka answers again");
    }
}
