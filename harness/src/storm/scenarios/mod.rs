//! What traffic a storm hits. One scenario = one file and one line in [`ALL`].

mod orders;

use std::path::Path;
use std::time::Duration;

/// What the load of one process is started with.
pub struct Traffic<'a> {
    pub url: &'a str,
    /// Orders a second, due by the clock.
    pub rate: f64,
    pub seed: u64,
    pub cancel_percent: u8,
    pub repeat_percent: u8,
    /// Longest wait for one answer.
    pub timeout: Duration,
    pub history: &'a Path,
}

pub struct Scenario {
    pub name: &'static str,
    /// Arguments of `load`.
    pub load: fn(&Traffic<'_>) -> Vec<String>,
}

pub const ALL: &[Scenario] = &[orders::ORDERS];
