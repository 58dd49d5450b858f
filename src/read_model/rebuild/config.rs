//! `[read_model]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::range;

/// `[read_model]`: how read models are rebuilt. `ORDO_READ_MODEL__KEEP=1h` overrides a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Events of a piece of the log that one transaction folds, about: 100 to 100,000.
    pub piece_events: i64,
    /// Events a live view may be behind before a rebuild waits for it: 100 or more.
    pub lag_bound: i64,
    /// How long a version that was active is kept, and written, so that it can be taken back.
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { piece_events: 10_000, lag_bound: 5_000, keep: Duration::from_secs(24 * 3600) }
    }
}

impl Config {
    /// Whether every value is within its range.
    ///
    /// # Errors
    /// In one line: the key, its value, what is expected.
    pub fn check(&self) -> Result<(), String> {
        range::number("read_model.piece_events", self.piece_events, 100..=100_000)?;
        range::number("read_model.lag_bound", self.lag_bound, 100..=100_000_000)?;
        range::time("read_model.keep", self.keep, Duration::from_secs(1)..=Duration::from_secs(365 * 24 * 3600))
    }
}
