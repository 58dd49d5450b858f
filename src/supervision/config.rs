//! `[supervision]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::range;

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
    /// What this process is called among the others; its host and number if empty.
    pub node_name: String,
    /// How often a process gives a sign of life.
    #[serde(with = "humantime_serde")]
    pub heartbeat: Duration,
    /// Silence after which nobody knows what a process does: at least twice `heartbeat`.
    #[serde(with = "humantime_serde")]
    pub silent_after: Duration,
    /// Facts kept in Postgres, the newest: 1 to 1,000,000.
    pub facts_kept: u32,
    /// How long a fact is kept in Postgres: 1 minute to 10 years.
    #[serde(with = "humantime_serde")]
    pub facts_keep: Duration,
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
            node_name: String::new(),
            heartbeat: Duration::from_secs(1),
            silent_after: Duration::from_secs(5),
            facts_kept: 10_000,
            facts_keep: Duration::from_secs(30 * 24 * 3_600),
        }
    }
}

impl Config {
    /// Whether every value is within its range.
    ///
    /// # Errors
    /// In one line: the key, its value, what is expected.
    pub fn check(&self) -> Result<(), String> {
        range::number("supervision.max_restarts", self.max_restarts, 0..=1_000)?;
        range::number("supervision.facts_kept", self.facts_kept, 1..=1_000_000)?;
        let (short, long) = (Duration::from_millis(1), Duration::from_secs(3_600));
        range::time("supervision.facts_keep", self.facts_keep, Duration::from_secs(60)..=long * 24 * 3_650)?;
        range::time("supervision.window", self.window, short..=long * 24)?;
        range::time("supervision.backoff_min", self.backoff_min, short..=long)?;
        range::time("supervision.backoff_max", self.backoff_max, short..=long)?;
        range::time("supervision.reset_after", self.reset_after, short..=long * 24)?;
        range::time("supervision.start_timeout", self.start_timeout, short * 100..=long)?;
        range::time("supervision.stop_timeout", self.stop_timeout, short * 100..=long)?;
        range::time("supervision.heartbeat", self.heartbeat, short * 100..=long)?;
        range::ordered(
            ("twice supervision.heartbeat", self.heartbeat * 2),
            ("supervision.silent_after", self.silent_after),
        )?;
        if self.node_name.len() > 100 || self.node_name.chars().any(char::is_control) {
            return Err("supervision.node_name: expected at most 100 bytes, none of them a control character".into());
        }
        range::ordered(("supervision.backoff_min", self.backoff_min), ("supervision.backoff_max", self.backoff_max))
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
