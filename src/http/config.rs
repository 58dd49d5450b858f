//! `[http]`.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::order::MAX_LINES;

/// `[http]`: the REST listener and its limits. `ORDO_HTTP__LISTEN=0.0.0.0:8080` overrides a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Largest body of a request, in bytes: 1,024 to 16,777,216.
    pub body_bytes: usize,
    /// Most lines an order may be sent with: 1 to 500.
    pub lines: usize,
    /// Most entries of a page: 1 to 1,000.
    pub page: u32,
    /// Longest a request may take before it is answered `503`.
    #[serde(with = "humantime_serde")]
    pub answer_within: Duration,
    /// Longest a reader may wait for its own write (`?after=…&wait=…`): less than `answer_within`.
    #[serde(with = "humantime_serde")]
    pub wait_max: Duration,
    /// What `?after=…` waits for without `wait`.
    #[serde(with = "humantime_serde")]
    pub wait_default: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            body_bytes: 256 * 1024,
            lines: MAX_LINES,
            page: 200,
            answer_within: Duration::from_secs(5),
            wait_max: Duration::from_secs(4),
            wait_default: Duration::from_secs(1),
        }
    }
}

impl Config {
    /// Whether every value is within its range.
    ///
    /// # Errors
    /// In one line: the key, its value, what is expected.
    pub fn check(&self) -> Result<(), String> {
        if !(1_024..=16 << 20).contains(&self.body_bytes) {
            return Err(format!("http.body_bytes = {}: expected 1,024 to 16,777,216", self.body_bytes));
        }
        if !(1..=MAX_LINES).contains(&self.lines) {
            return Err(format!("http.lines = {}: expected 1 to {MAX_LINES}", self.lines));
        }
        if !(1..=1_000).contains(&self.page) {
            return Err(format!("http.page = {}: expected 1 to 1,000", self.page));
        }
        if self.answer_within.is_zero() || self.wait_max >= self.answer_within || self.wait_default > self.wait_max {
            return Err("http: expected wait_default <= wait_max < answer_within, and answer_within above 0".to_owned());
        }
        Ok(())
    }
}
