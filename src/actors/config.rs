//! `[aggregates]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::range;

/// `[aggregates]`: how long aggregates live and how much may wait for them. `ORDO_AGGREGATES__IDLE=5s` overrides a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Idle time after which an aggregate's actor ends and its state goes to the warm map.
    #[serde(with = "humantime_serde")]
    pub idle: Duration,
    /// States of ended aggregates each shard keeps: 0 to 10,000,000, at about 500 bytes each.
    pub warm: usize,
    /// Commands of callers that may wait for one aggregate before it answers `503`.
    pub permits: usize,
    /// Commands of callers that may wait for one shard before it answers `503`.
    pub shard_permits: usize,
    /// Longest wait for an answer; after it the caller hears that the outcome is not known.
    #[serde(with = "humantime_serde")]
    pub answer_within: Duration,
    /// Longest time a price may be used without looking at the log again.
    #[serde(with = "humantime_serde")]
    pub price_age: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(2),
            warm: 20_000,
            permits: 64,
            shard_permits: 5_000,
            answer_within: Duration::from_secs(5),
            price_age: Duration::from_secs(1),
        }
    }
}

impl Config {
    /// Whether every value is within its range.
    ///
    /// # Errors
    /// In one line: the key, its value, what is expected.
    pub fn check(&self) -> Result<(), String> {
        range::number("aggregates.warm", self.warm, 0..=10_000_000)?;
        range::number("aggregates.permits", self.permits, 1..=1_000_000)?;
        range::number("aggregates.shard_permits", self.shard_permits, 1..=1_000_000)?;
        let (short, long) = (Duration::from_millis(10), Duration::from_secs(3_600));
        range::time("aggregates.idle", self.idle, short..=long)?;
        range::time("aggregates.answer_within", self.answer_within, short * 10..=long)?;
        range::time("aggregates.price_age", self.price_age, Duration::ZERO..=Duration::from_secs(60))
    }
}
