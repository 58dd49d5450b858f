//! Counts and latencies of a running load.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::client::Answer;
use super::post::Ended;
use super::summary::Summary;
use crate::history::Outcome;

/// Ten minutes in microseconds; anything longer counts as this.
const LONGEST_MICROS: u64 = 600_000_000;

pub struct Tally(Mutex<Counts>);

struct Counts {
    accepted: u64,
    refused: BTreeMap<String, u64>,
    unknown: u64,
    retries: u64,
    cancels: BTreeMap<&'static str, u64>,
    repeats: BTreeMap<&'static str, u64>,
    last_answer: Option<Instant>,
    /// Of accepted orders, from when each was due to its acceptance, retries included.
    latency: Histogram<u64>,
}

impl Tally {
    pub fn empty() -> anyhow::Result<Self> {
        Ok(Self(Mutex::new(Counts {
            accepted: 0,
            refused: BTreeMap::new(),
            unknown: 0,
            retries: 0,
            cancels: BTreeMap::new(),
            repeats: BTreeMap::new(),
            last_answer: None,
            latency: Histogram::new_with_bounds(1, LONGEST_MICROS, 3)?,
        })))
    }

    pub fn placed(&self, ended: &Ended, due: Instant) {
        let now = Instant::now();
        let mut counts = self.lock();
        counts.retries += u64::from(ended.retries);
        match ended.outcome {
            Outcome::Accepted => {
                counts.accepted += 1;
                counts.last_answer = Some(now);
                let micros = u64::try_from((now - due).as_micros()).unwrap_or(LONGEST_MICROS);
                counts.latency.saturating_record(micros.max(1));
            }
            Outcome::Refused => *counts.refused.entry(code(&ended.answer)).or_default() += 1,
            Outcome::Unknown => counts.unknown += 1,
        }
    }

    pub fn cancelled(&self, outcome: Outcome) {
        *self.lock().cancels.entry(word(outcome)).or_default() += 1;
    }

    pub fn repeated(&self, outcome: Outcome) {
        *self.lock().repeats.entry(word(outcome)).or_default() += 1;
    }

    pub fn line(&self, elapsed: Duration) -> String {
        let counts = self.lock();
        let refused: u64 = counts.refused.values().sum();
        format!(
            "{:.0} s: {} accepted ({:.0}/s), {refused} refused, {} unknown, {} retries, p99 {:.1} ms",
            elapsed.as_secs_f64(),
            counts.accepted,
            counts.accepted as f64 / elapsed.as_secs_f64().max(0.001),
            counts.unknown,
            counts.retries,
            counts.latency.value_at_quantile(0.99) as f64 / 1_000.0,
        )
    }

    pub fn summary(&self, started: Instant) -> Summary {
        let counts = self.lock();
        let seconds = counts.last_answer.map_or(0.0, |last| (last - started).as_secs_f64());
        let millis = |quantile| counts.latency.value_at_quantile(quantile) as f64 / 1_000.0;
        Summary {
            accepted: counts.accepted,
            refused: counts.refused.clone(),
            unknown: counts.unknown,
            retries: counts.retries,
            cancels: counts.cancels.clone(),
            repeats: counts.repeats.clone(),
            seconds,
            orders_per_second: if seconds > 0.0 { counts.accepted as f64 / seconds } else { 0.0 },
            p50_ms: millis(0.5),
            p90_ms: millis(0.9),
            p99_ms: millis(0.99),
            max_ms: counts.latency.max() as f64 / 1_000.0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Refused => "refused",
        Outcome::Unknown => "unknown",
    }
}

fn code(answer: &Answer) -> String {
    match answer {
        Answer::Answered { status, body, .. } => body.code.clone().unwrap_or_else(|| status.to_string()),
        Answer::NoAnswer(_) => "no_answer".into(),
    }
}
