//! `[subscription]`.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::range;

/// `[subscription]`: how events are followed. `ORDO_SUBSCRIPTION__BATCH_EVENTS=100` overrides a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Most events a transaction of a consumer takes, and so most rows it appends: 1 to 1,000. Bigger batches drain a
    /// backlog faster and hold the log's heads longer.
    pub batch_events: usize,
    /// Most events a transaction of a log-fed view takes: 1 to 10,000.
    pub view_batch_events: usize,
    /// Longest rest between two transactions of one partition: zero to 1 s. A reader rests twice as long as its last
    /// transaction took, so that a busy machine makes fewer and bigger ones; a full batch is followed by the next at
    /// once, and an idle partition applies an event the moment it comes.
    #[serde(with = "humantime_serde")]
    pub rest_max: Duration,
    /// Tries of one event that fails on its own before it becomes a dead letter: 1 to 100.
    pub attempts: u32,
    /// Pauses before the retries of a parked stream's head, such as `5s 30s 5m 30m`; after the last it is a dead letter.
    pub parked_retries: Pauses,
    /// Most streams of one consumer that may be set aside: 1 to 100,000; beyond, the partition waits, with an alarm.
    pub parked_streams: u32,
    /// Most events that may wait behind the failure of one stream: 1 to 100,000; beyond, the partition waits.
    pub parked_depth: u32,
    /// How long a process has to have been up before it runs events over which two others have ended: zero to 1 h.
    #[serde(with = "humantime_serde")]
    pub suspect_wait: Duration,
    /// Whether operators may make events fail on purpose (`ordo faults`): for demonstrations and tests, never where orders
    /// count.
    pub fault_panel: bool,
    /// First pause between two tries; doubled each time, with jitter.
    #[serde(with = "humantime_serde")]
    pub backoff_min: Duration,
    /// Longest pause between two tries of one event.
    #[serde(with = "humantime_serde")]
    pub backoff_max: Duration,
    /// Longest pause while a dependency is down.
    #[serde(with = "humantime_serde")]
    pub dependency_backoff_max: Duration,
    /// How long a partition of the log stays with an owner that has gone silent.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// How long the ledger remembers applied events. Positions suppress repeats for ever; this serves replays.
    #[serde(with = "humantime_serde")]
    pub ledger_keep: Duration,
}

/// Pauses, one after the other: `5s 30s 5m 30m`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pauses(pub Vec<Duration>);

impl Serialize for Pauses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pauses: Vec<String> = self.0.iter().map(|pause| humantime::format_duration(*pause).to_string()).collect();
        serializer.serialize_str(&pauses.join(", "))
    }
}

impl<'de> Deserialize<'de> for Pauses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let words = text.split([',', ' ']).filter(|word| !word.is_empty());
        let pauses: Result<Vec<Duration>, _> = words.map(humantime::parse_duration).collect();
        pauses.map(Self).map_err(|error| D::Error::custom(format!("{text:?}: {error}; write pauses such as 5s 30s 5m")))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            batch_events: 200,
            view_batch_events: 1_000,
            rest_max: Duration::from_millis(25),
            attempts: 5,
            parked_retries: Pauses([5, 30, 300, 1_800].map(Duration::from_secs).to_vec()),
            parked_streams: 1_024,
            parked_depth: 1_024,
            suspect_wait: Duration::from_secs(10),
            fault_panel: false,
            backoff_min: Duration::from_millis(50),
            backoff_max: Duration::from_secs(2),
            dependency_backoff_max: Duration::from_secs(10),
            lease: Duration::from_secs(3),
            ledger_keep: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

impl Config {
    /// Whether every value is within its range.
    ///
    /// # Errors
    /// In one line: the key, its value, what is expected.
    pub fn check(&self) -> Result<(), String> {
        range::number("subscription.batch_events", self.batch_events, 1..=1_000)?;
        range::number("subscription.view_batch_events", self.view_batch_events, 1..=10_000)?;
        range::number("subscription.attempts", self.attempts, 1..=100)?;
        let (short, long) = (Duration::from_millis(1), Duration::from_secs(3_600));
        range::number("subscription.parked_streams", self.parked_streams, 1..=100_000)?;
        range::number("subscription.parked_depth", self.parked_depth, 1..=100_000)?;
        range::time("subscription.suspect_wait", self.suspect_wait, Duration::ZERO..=long)?;
        for pause in &self.parked_retries.0 {
            range::time("subscription.parked_retries", *pause, short..=long * 24 * 30)?;
        }
        range::time("subscription.rest_max", self.rest_max, Duration::ZERO..=Duration::from_secs(1))?;
        range::time("subscription.backoff_min", self.backoff_min, short..=long)?;
        range::time("subscription.backoff_max", self.backoff_max, short..=long)?;
        range::time("subscription.dependency_backoff_max", self.dependency_backoff_max, short..=long)?;
        range::time("subscription.lease", self.lease, Duration::from_secs(1)..=long)?;
        range::time("subscription.ledger_keep", self.ledger_keep, Duration::from_secs(60)..=long * 24 * 3_650)?;
        range::ordered(("subscription.backoff_min", self.backoff_min), ("subscription.backoff_max", self.backoff_max))
    }
}
