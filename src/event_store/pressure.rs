//! How long appends wait for a writer: consumers take smaller batches while customers wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Waits beyond this make consumers hold back.
const HIGH: Duration = Duration::from_millis(30);

/// The wait of the oldest append of the latest batch, shared by writers and consumers of a process.
#[derive(Clone, Debug, Default)]
pub struct Pressure(Arc<AtomicU64>);

impl Pressure {
    /// A writer's batch sets out whose oldest append has waited this long.
    pub fn waited(&self, wait: Duration) {
        self.0.store(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How many events a consumer's transaction may take now, out of `most`: a quarter while customers wait.
    #[must_use]
    pub fn allowance(&self, most: usize) -> usize {
        let is_high = Duration::from_micros(self.0.load(Ordering::Relaxed)) > HIGH;
        if is_high { (most / 4).max(1) } else { most }
    }
}
