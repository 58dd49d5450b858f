//! Facts of the connection to Kafka: told once when it is lost, once when it is back, however many clients notice.

use std::sync::atomic::{AtomicBool, Ordering};

use super::names;

static AWAY: AtomicBool = AtomicBool::new(false);

/// No broker answers a client of this process.
pub fn away(why: &str) {
    if !AWAY.swap(true, Ordering::AcqRel) {
        tracing::warn!(why, "Kafka does not answer; orders are accepted meanwhile and published later");
    }
}

/// A broker has answered.
pub fn answers() {
    if AWAY.load(Ordering::Acquire) && AWAY.swap(false, Ordering::AcqRel) {
        tracing::info!("Kafka answers again");
    }
}

/// Sets the gauge; `/metrics` asks for it before each answer.
pub(super) fn publish_gauge() {
    metrics::gauge!(names::KAFKA_AWAY).set(f64::from(u8::from(AWAY.load(Ordering::Acquire))));
}
