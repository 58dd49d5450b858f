//! Alarms: an error log with a code, a metric, and a reason in `/readyz` until it is over.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::names;

/// A log partition has a hole: whoever follows it has stopped.
pub const LOG_HOLE: &str = "log_hole";
/// A topic lacks events that the log lacks, too.
pub const TOPIC_HOLE: &str = "topic_hole";
/// A topic lacked events; they came from the log.
pub const TOPIC_FILLED: &str = "topic_filled";
/// A stream has a gap before an event.
pub const STREAM_GAP: &str = "stream_gap";
/// The log is damaged: nothing is appended any more.
pub const LOG_CORRUPT: &str = "log_corrupt";
/// A topic has another number of partitions than the log: nothing is published to it.
pub const TOPIC_PARTITIONS: &str = "topic_partitions";
/// A read model cannot fold an event and has stopped before it.
pub const VIEW_STOPPED: &str = "view_stopped";

/// Alarms that stop something, with the reason: what `/readyz` lists.
static STANDING: LazyLock<Mutex<BTreeMap<&'static str, String>>> = LazyLock::new(Mutex::default);

/// Raises an alarm. It stands until [`clear`]ed.
pub fn raise(code: &'static str, why: &str) {
    metrics::counter!(names::ALARMS_TOTAL, "code" => code).increment(1);
    tracing::error!(alarm = code, why, "alarm");
    STANDING.lock().unwrap_or_else(PoisonError::into_inner).insert(code, why.to_owned());
}

/// What was wrong is over.
pub fn clear(code: &'static str) {
    if STANDING.lock().unwrap_or_else(PoisonError::into_inner).remove(code).is_some() {
        tracing::info!(alarm = code, "alarm is over");
    }
}

/// Alarms that stand, with their reasons.
#[must_use]
pub fn standing() -> Vec<(&'static str, String)> {
    STANDING.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(code, why)| (*code, why.clone())).collect()
}

/// Whether an alarm of this code only tells, so that the service is ready all the same.
#[must_use]
pub fn only_tells(code: &str) -> bool {
    matches!(code, TOPIC_FILLED | STREAM_GAP)
}
