//! How long appends wait for a writer: consumers take smaller batches while customers wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Waits beyond this make consumers hold back.
const HIGH: Duration = Duration::from_millis(30);

/// How long the writers' last failure counts: without traffic nobody knows any better.
const FAILING_FOR: Duration = Duration::from_secs(15);

/// What the writers of a process meet, shared with its consumers and probes: the wait of the oldest append of the latest
/// batch, and why nothing could be written.
#[derive(Clone, Debug, Default)]
pub struct Pressure(Arc<State>);

#[derive(Debug, Default)]
struct State {
    wait_micros: AtomicU64,
    failure: Mutex<Option<(Instant, String)>>,
}

impl Pressure {
    /// A writer's batch sets out whose oldest append has waited this long.
    pub fn waited(&self, wait: Duration) {
        self.0.wait_micros.store(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// A batch could not be written.
    pub fn failed(&self, why: &str) {
        *self.failure() = Some((Instant::now(), why.to_owned()));
    }

    /// A batch was written.
    pub fn wrote(&self) {
        *self.failure() = None;
    }

    /// Why the last batch of the last seconds could not be written, if so.
    #[must_use]
    pub fn failing(&self) -> Option<String> {
        let failure = self.failure();
        let (at, why) = failure.as_ref()?;
        (at.elapsed() < FAILING_FOR).then(|| why.clone())
    }

    fn failure(&self) -> MutexGuard<'_, Option<(Instant, String)>> {
        self.0.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many events a consumer's transaction may take now, out of `most`: a quarter while customers wait.
    #[must_use]
    pub fn allowance(&self, most: usize) -> usize {
        let is_high = Duration::from_micros(self.0.wait_micros.load(Ordering::Relaxed)) > HIGH;
        if is_high { (most / 4).max(1) } else { most }
    }
}
