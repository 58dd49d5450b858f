//! What the processes show while faults happen: memory, and the counters of `/metrics`, looked at every second.
//!
//! Counters begin anew with each process, so they are summed over processes; what a process counted after its last look
//! and before its death is not in the sum, which is therefore a lower bound.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::node::Sight;
use crate::bench::metrics;

const LOOK_EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_millis(800);

const RESTARTS: &str = "ordo_actor_restarts_total";
const ESCALATIONS: &str = "ordo_supervisor_escalations_total";
const DUPLICATES: &str = "ordo_events_duplicate_total";
const FILLED: &str = "ordo_events_filled_total";
const RESENT: &str = "ordo_append_resent_total";
const COUNTERS: [&str; 5] = [RESTARTS, ESCALATIONS, DUPLICATES, FILLED, RESENT];

/// Sums so far, over all processes there have been.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    pub restarts: f64,
    pub escalations: f64,
    /// Repeats that consumers knew by position, ledger or guard.
    pub absorbed: f64,
    /// Events that were missing in a topic and came from the log.
    pub filled: f64,
    /// Batches sent again because their outcome was lost.
    pub resent: f64,
    pub most_memory_mib: f64,
}

#[derive(Default)]
struct Sums {
    /// By node and counter: the process they are of, and its last value.
    last: HashMap<(usize, &'static str), (u32, f64)>,
    totals: HashMap<&'static str, f64>,
    most_memory_kib: u64,
}

pub struct Watch {
    sums: Arc<Mutex<Sums>>,
    /// Ends with this.
    _task: JoinSet<()>,
}

impl Watch {
    pub fn over(nodes: Vec<Arc<Sight>>) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let sums = Arc::new(Mutex::new(Sums::default()));
        let mut task = JoinSet::new();
        for node in nodes {
            task.spawn(follow(node, http.clone(), Arc::clone(&sums)));
        }
        Ok(Self { sums, _task: task })
    }

    pub fn seen(&self) -> Seen {
        let sums = lock(&self.sums);
        let total = |name| sums.totals.get(name).copied().unwrap_or(0.0);
        Seen {
            restarts: total(RESTARTS),
            escalations: total(ESCALATIONS),
            absorbed: total(DUPLICATES),
            filled: total(FILLED),
            resent: total(RESENT),
            most_memory_mib: sums.most_memory_kib as f64 / 1024.0,
        }
    }
}

fn lock(sums: &Mutex<Sums>) -> MutexGuard<'_, Sums> {
    sums.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn follow(node: Arc<Sight>, http: reqwest::Client, sums: Arc<Mutex<Sums>>) {
    let address = format!("{}/metrics", node.ops_url);
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        tick.tick().await;
        let Some(pid) = node.pid() else { continue };
        if let Some(memory) = memory_kib(pid) {
            let mut sums = lock(&sums);
            sums.most_memory_kib = sums.most_memory_kib.max(memory);
        }
        // A process that is stopped, or starting, shows nothing; the next look tells.
        let Ok(answer) = http.get(&address).send().await else { continue };
        let Ok(text) = answer.text().await else { continue };
        if node.pid() == Some(pid) {
            lock(&sums).add(node.number, pid, &text);
        }
    }
}

impl Sums {
    fn add(&mut self, node: usize, pid: u32, text: &str) {
        for name in COUNTERS {
            let Some(value) = metrics::sum(text, name) else { continue };
            let (of, before) = self.last.insert((node, name), (pid, value)).unwrap_or((pid, 0.0));
            let grown = if of == pid { value - before } else { value };
            *self.totals.entry(name).or_default() += grown;
        }
    }
}

fn memory_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: u32) -> String {
        format!("{RESTARTS}{{kind=\"relay\"}} {value}\n")
    }

    #[test]
    fn a_counter_that_begins_anew_with_its_process_is_summed() {
        let mut sums = Sums::default();
        for (pid, value) in [(1, 3), (1, 5), (2, 4), (2, 6)] {
            sums.add(0, pid, &text(value));
        }
        sums.add(1, 9, &text(1));
        assert_eq!(sums.totals[RESTARTS], 12.0);
    }

    #[test]
    fn this_process_has_memory_and_one_that_is_gone_has_none() {
        assert!(memory_kib(std::process::id()).is_some_and(|memory| memory > 1_000));
        assert_eq!(memory_kib(u32::MAX), None);
    }
}
