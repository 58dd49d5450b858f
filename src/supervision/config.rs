//! `[supervision]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::restart::Policy;

/// `[supervision]`: what is done about crashes. `ORDO_SUPERVISION__MAX_RESTARTS=10` overrides a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Restarts one child may spend within `window` before its supervisor gives up: 0 to 1,000.
    pub max_restarts: u32,
    /// How long a spent restart counts.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
    /// First pause before a restart, and the shortest; more than 0.
    #[serde(with = "humantime_serde")]
    pub backoff_min: Duration,
    /// Longest pause before a restart: what a dependency that came back may wait to be noticed.
    #[serde(with = "humantime_serde")]
    pub backoff_max: Duration,
    /// Time without a crash after which the pauses begin anew.
    #[serde(with = "humantime_serde")]
    pub reset_after: Duration,
    /// Longest a child may take to start; beyond it the start is given up and tried again as if a dependency were down.
    #[serde(with = "humantime_serde")]
    pub start_timeout: Duration,
    /// Longest wait for a child to end when its supervisor gives up.
    #[serde(with = "humantime_serde")]
    pub stop_timeout: Duration,
    /// Facts kept in Postgres, the newest: 1 or more.
    pub facts_kept: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_restarts: 5,
            window: Duration::from_secs(60),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(10),
            reset_after: Duration::from_secs(60),
            start_timeout: Duration::from_secs(10),
            stop_timeout: Duration::from_secs(10),
            facts_kept: 10_000,
        }
    }
}

impl Config {
    /// The part that decides about restarts.
    #[must_use]
    pub const fn policy(&self) -> Policy {
        Policy {
            max_restarts: self.max_restarts,
            window: self.window,
            backoff_min: self.backoff_min,
            backoff_max: self.backoff_max,
            reset_after: self.reset_after,
        }
    }
}
