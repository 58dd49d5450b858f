//! Alarms: an error log with a code, a metric, and a reason in `/readyz` until it is over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// Alarms that stand, by code and place, with the reason: what `/readyz` lists.
static STANDING: LazyLock<Mutex<BTreeMap<(&'static str, String), String>>> = LazyLock::new(Mutex::default);
/// How many stand, so that clearing, which healthy actors do all the time, costs nothing while none does.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Raises an alarm about a place, such as a partition. It stands until it is [`clear`]ed there.
pub fn raise(code: &'static str, place: &str, why: &str) {
    metrics::counter!(names::ALARMS_TOTAL, "code" => code).increment(1);
    tracing::error!(alarm = code, place, why, "alarm");
    let mut standing = STANDING.lock().unwrap_or_else(PoisonError::into_inner);
    standing.insert((code, place.to_owned()), why.to_owned());
    COUNT.store(standing.len(), Ordering::Release);
}

/// What was wrong at this place is over.
pub fn clear(code: &'static str, place: &str) {
    if COUNT.load(Ordering::Acquire) == 0 {
        return;
    }
    let mut standing = STANDING.lock().unwrap_or_else(PoisonError::into_inner);
    if standing.remove(&(code, place.to_owned())).is_some() {
        tracing::info!(alarm = code, place, "alarm is over");
    }
    COUNT.store(standing.len(), Ordering::Release);
}

/// Alarms that stand, with their reasons.
#[must_use]
pub fn standing() -> Vec<(&'static str, String)> {
    let standing = STANDING.lock().unwrap_or_else(PoisonError::into_inner);
    standing.iter().map(|((code, place), why)| (*code, format!("{place}: {why}"))).collect()
}

/// Whether an alarm of this code only tells, so that the service is ready all the same.
#[must_use]
pub fn only_tells(code: &str) -> bool {
    matches!(code, TOPIC_FILLED | STREAM_GAP)
}
