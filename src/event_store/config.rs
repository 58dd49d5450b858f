//! `[event_store]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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
