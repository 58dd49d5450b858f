//! The end of a load, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub accepted: u64,
    /// By reason code.
    pub refused: BTreeMap<String, u64>,
    pub unknown: u64,
    pub retries: u64,
    pub cancels: BTreeMap<&'static str, u64>,
    /// Accepted orders whose POST was sent once more.
    pub repeats: BTreeMap<&'static str, u64>,
    /// From the start to the last acceptance.
    pub seconds: f64,
    pub orders_per_second: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "accepted  {} in {:.1} s, {:.0} orders/s", self.accepted, self.seconds, self.orders_per_second)?;
        writeln!(f, "refused   {}", list(&self.refused))?;
        writeln!(f, "unknown   {} (after {} retries)", self.unknown, self.retries)?;
        if !self.cancels.is_empty() {
            writeln!(f, "cancels   {}", list(&self.cancels))?;
        }
        if !self.repeats.is_empty() {
            writeln!(f, "repeats   {}", list(&self.repeats))?;
        }
        write!(
            f,
            "latency   p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            self.p50_ms, self.p90_ms, self.p99_ms, self.max_ms
        )
    }
}

fn list(counts: &BTreeMap<impl fmt::Display, u64>) -> String {
    if counts.is_empty() {
        return "0".into();
    }
    counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}
