//! What each process remembers of its actors: recorded without waiting, written to Postgres by and by.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::watch;

use super::Config;
use super::fact::{Fact, What};
use super::stored;
use super::tree::Tree;
use crate::{clock, telemetry};

/// Facts at hand without asking Postgres.
const RECENT: usize = 1_000;
/// Facts that may wait for Postgres; beyond it the oldest are dropped and counted.
const PENDING: usize = 5_000;
/// Facts removed by one statement, and statements of one purge: the rest is the next one's.
const PURGE: i64 = 2_000;
const PURGE_STEPS: u32 = 25;
/// Facts written by one statement.
const BATCH: usize = 500;

/// Where facts go. A clone is the same history.
#[derive(Clone, Debug)]
pub struct History {
    node: Arc<str>,
    facts_kept: u32,
    facts_keep: Duration,
    memory: Arc<Mutex<Memory>>,
    recorded: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Memory {
    recent: VecDeque<Fact>,
    tree: Tree,
    pending: VecDeque<Fact>,
    dropped: u64,
}

impl History {
    /// An empty history of the process `node`, which keeps `facts_kept` facts in Postgres.
    #[must_use]
    pub fn new(node: impl Into<Arc<str>>, facts_kept: u32) -> Self {
        let facts_keep = Config::default().facts_keep;
        Self { node: node.into(), facts_kept, facts_keep, memory: Arc::default(), recorded: watch::Sender::new(0) }
    }

    /// The same, keeping facts no longer than this.
    #[must_use]
    pub fn keeping_for(self, facts_keep: Duration) -> Self {
        Self { facts_keep, ..self }
    }

    /// Remembers, logs and counts what happened. Waits for nobody.
    pub fn record(&self, mut fact: Fact) {
        fact.node = self.node.clone();
        tell(&fact);
        let lost = {
            let mut memory = self.memory();
            // Under the lock, so that ids, memory and table agree on the order.
            fact.id = clock::new_id();
            memory.tree.apply(&fact);
            push_bounded(&mut memory.recent, fact.clone(), RECENT);
            let lost = push_bounded(&mut memory.pending, fact, PENDING);
            memory.dropped += u64::from(lost);
            lost
        };
        if lost {
            telemetry::supervision::fact_dropped();
        }
        self.recorded.send_modify(|count| *count += 1);
    }

    /// The tree as it is now.
    #[must_use]
    pub fn tree(&self) -> Tree {
        self.memory().tree.clone()
    }

    /// What happened last in this process, newest first.
    #[must_use]
    pub fn recent(&self, limit: usize) -> Vec<Fact> {
        self.memory().recent.iter().rev().take(limit).cloned().collect()
    }

    /// Facts that never reached Postgres, because it was away for too long.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.memory().dropped
    }

    /// How many facts were recorded so far; wakes whoever waits for the next.
    #[must_use]
    pub fn recorded(&self) -> watch::Receiver<u64> {
        self.recorded.subscribe()
    }

    /// Writes what is not yet in Postgres and removes the oldest rows beyond those kept. Facts leave memory only when
    /// they are durable, so a failed flush is simply done again: a fact is stored once however often it is sent.
    ///
    /// # Errors
    /// Postgres did not take them; they stay.
    pub async fn flush(&self, db: &PgPool) -> sqlx::Result<usize> {
        let mut written = 0;
        loop {
            let batch: Vec<Fact> = self.memory().pending.iter().take(BATCH).cloned().collect();
            let Some(last) = batch.last() else { break };
            stored::insert(&batch, db).await?;
            written += batch.len();
            self.forget_pending(&batch, last);
        }
        if written > 0 {
            self.purge(db).await?;
        }
        Ok(written)
    }

    /// Removes facts that are too old or too many, in small steps; answers how many.
    ///
    /// # Errors
    /// What Postgres says; what was removed until then is gone.
    pub async fn purge(&self, db: &PgPool) -> sqlx::Result<u64> {
        let mut removed = 0;
        for _ in 0..PURGE_STEPS {
            let step = stored::prune(self.facts_kept, self.facts_keep, PURGE, db).await?;
            removed += step;
            if step < PURGE.unsigned_abs() {
                break;
            }
        }
        telemetry::supervision::facts_purged(removed);
        Ok(removed)
    }

    /// The front may have been dropped meanwhile, or flushed by another: only what was written goes.
    fn forget_pending(&self, written: &[Fact], last: &Fact) {
        let mut memory = self.memory();
        let is_written = |fact: &Fact| written.iter().any(|written| written.id == fact.id);
        while memory.pending.front().is_some_and(is_written) {
            let front = memory.pending.pop_front();
            if front.is_some_and(|fact| fact.id == last.id) {
                break;
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the oldest had to go.
fn push_bounded(facts: &mut VecDeque<Fact>, fact: Fact, bound: usize) -> bool {
    let is_full = facts.len() >= bound;
    if is_full {
        facts.pop_front();
    }
    facts.push_back(fact);
    is_full
}

fn tell(fact: &Fact) {
    use telemetry::supervision as say;
    let actor = say::Actor { path: fact.path.as_str(), kind: &fact.kind };
    let cause = fact.cause.map_or("none", super::CauseClass::as_str);
    match fact.what {
        What::Started => say::started(actor, &fact.why),
        What::Stopped => say::stopped(actor, &fact.why),
        What::Crashed => say::crashed(actor, cause, fact.budget_left, &fact.why),
        What::BackingOff => say::backing_off(actor, cause, fact.budget_left, fact.backoff.unwrap_or_default()),
        What::Restarted => say::restarted(actor, cause, fact.budget_left),
        What::Escalated => say::escalated(actor, cause, &fact.why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervision::ActorPath;

    fn fact(n: usize) -> Fact {
        Fact::now(ActorPath::root("ordo").child("writer"), "writer", What::Stopped, &n.to_string())
    }

    #[test]
    fn the_newest_facts_are_at_hand_newest_first() {
        let history = History::new("here", 10);
        for n in 0..RECENT + 5 {
            history.record(fact(n));
        }
        let recent = history.recent(RECENT + 5);
        assert_eq!(recent.len(), RECENT);
        assert_eq!(recent[0].why, (RECENT + 4).to_string());
        assert_eq!(&*recent[0].node, "here");
        assert_eq!(history.recent(1), recent[..1]);
    }

    #[test]
    fn with_postgres_away_the_oldest_are_dropped_and_counted() {
        let history = History::new("here", 10);
        for n in 0..PENDING + 7 {
            history.record(fact(n));
        }
        assert_eq!(history.dropped(), 7);
        let memory = history.memory();
        assert_eq!(memory.pending.len(), PENDING);
        assert_eq!(memory.pending.front().map(|fact| fact.why.as_str()), Some("7"));
    }

    #[test]
    fn only_what_was_written_leaves_the_queue() {
        let history = History::new("here", 10);
        (0..3).for_each(|n| history.record(fact(n)));
        let batch: Vec<Fact> = history.memory().pending.iter().cloned().collect();
        history.record(fact(3));
        history.memory().pending.pop_front();
        history.forget_pending(&batch, batch.last().expect("three were recorded"));
        history.forget_pending(&batch, batch.last().expect("three were recorded"));
        let left: Vec<String> = history.memory().pending.iter().map(|fact| fact.why.clone()).collect();
        assert_eq!(left, ["3"]);
    }
}
