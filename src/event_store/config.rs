//! `[event_store]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::range;

/// `[event_store]`: how the log is written and followed. `ORDO_EVENT_STORE__WRITERS=2` overrides a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Writer actors in this process, each serving several partitions: 1 to the number of partitions. Two to four
    /// beat one a partition, because bigger batches share a commit.
    pub writers: u16,
    /// Most events in one commit: 1 to 10,000.
    pub batch_events: usize,
    /// Most payload bytes in one commit: at least the largest event.
    pub batch_bytes: usize,
    /// Appends of callers that may wait for one writer before it answers `503`: 1 to 1,000,000.
    pub writer_permits: usize,
    /// Appends of consumers that may wait for one writer; apart, so that catching up never refuses a customer.
    pub consumer_permits: usize,
    /// Longest a commit may take on the server before it is given up and tried again.
    #[serde(with = "humantime_serde")]
    pub commit_timeout: Duration,
    /// Shortest pause between looks at an idle partition.
    #[serde(with = "humantime_serde")]
    pub poll_min: Duration,
    /// Longest pause between looks at an idle partition: what another process' append may wait to be seen.
    #[serde(with = "humantime_serde")]
    pub poll_max: Duration,
    /// Largest event, payload and headers together, in bytes: at most what the topics accept.
    pub event_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            writers: 2,
            batch_events: 500,
            batch_bytes: 1 << 20,
            writer_permits: 10_000,
            consumer_permits: 2_000,
            commit_timeout: Duration::from_secs(5),
            poll_min: Duration::from_millis(5),
            poll_max: Duration::from_millis(250),
            event_bytes: 900 * 1024,
        }
    }
}

impl Config {
    /// Whether every value is within its range.
    ///
    /// # Errors
    /// In one line: the key, its value, what is expected.
    pub fn check(&self) -> Result<(), String> {
        range::number("event_store.writers", self.writers, 1..=256)?;
        range::number("event_store.batch_events", self.batch_events, 1..=10_000)?;
        range::number("event_store.event_bytes", self.event_bytes, 1_024..=16 << 20)?;
        range::number("event_store.batch_bytes", self.batch_bytes, self.event_bytes..=64 << 20)?;
        range::number("event_store.writer_permits", self.writer_permits, 1..=1_000_000)?;
        range::number("event_store.consumer_permits", self.consumer_permits, 1..=1_000_000)?;
        let (short, long) = (Duration::from_millis(1), Duration::from_secs(60));
        range::time("event_store.commit_timeout", self.commit_timeout, short * 100..=long)?;
        range::time("event_store.poll_min", self.poll_min, short..=long)?;
        range::time("event_store.poll_max", self.poll_max, short..=long)?;
        range::ordered(("event_store.poll_min", self.poll_min), ("event_store.poll_max", self.poll_max))
    }
}
