//! What streams blocked behind a dead letter cost the other streams of their partitions, in pairs of phases: one with nothing
//! wrong, one with poison in every partition.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::Row;
use crate::bench::measure::Measure;
use crate::bench::outcomes::Outcomes;
use crate::bench::poison::{self, Blocked, Poison};
use crate::bench::service::FaultPanel;
use crate::bench::stage::Stage;

/// Orders a second that are measured: moderate, so that waiting is not queueing.
const RATE: f64 = 300.0;
/// Poisoned orders a second: a dead letter each, a quarter of the share that would trip the breaker.
const POISONED_PER_SECOND: f64 = 8.0;
/// Of the same load, before each window.
const LEAD_IN_SECONDS: u64 = 2;
/// Until each partition has a blocked stream: keys are random, so this is a matter of chance.
const POISONED_WITHIN: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct PoisonedStream {
    so_far: Mutex<SoFar>,
}

/// Pairs of all rounds.
#[derive(Clone, Copy, Default)]
struct SoFar {
    pairs: u32,
    /// The last phase with nothing wrong.
    healthy: Option<Phase>,
}

/// Accepted to confirmed, in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Phase {
    p50: f64,
    p99: f64,
    orders: usize,
    missing: usize,
    blocked: Blocked,
}

impl Row for PoisonedStream {
    fn name(&self) -> &'static str {
        "poisoned-stream"
    }

    fn about(&self) -> &'static str {
        "accepted to confirmed at 300 orders/s, with poisoned streams in every partition; --pairs of phases, in turns"
    }

    fn round<'a>(&'a self, stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<Vec<Measure>>> {
        self.measure(stage).boxed()
    }
}

impl PoisonedStream {
    async fn measure(&self, stage: &Stage) -> anyhow::Result<Vec<Measure>> {
        with_panel(stage, FaultPanel::On).await?;
        let poison = Poison::of(stage)?;
        // A process that was just started is slower for a while, and the first phase is not to pay for that.
        stage.place_orders_at(RATE, stage.seconds).await?;
        stage.drain().await?;
        let mut measures = Vec::new();
        for _ in 0..stage.pairs {
            measures.extend(self.pair(stage, &poison).await?);
        }
        // Poisoned orders have no outcome, and no row that follows waits for one.
        stage.await_no_more().await?;
        with_panel(stage, FaultPanel::Off).await?;
        Ok(measures)
    }

    async fn pair(&self, stage: &Stage, poison: &Poison<'_>) -> anyhow::Result<Vec<Measure>> {
        let SoFar { pairs, healthy: before } = *self.so_far();
        // In turns the first: whatever the first of two costs hits both alike.
        let (healthy, poisoned) = if pairs.is_multiple_of(2) {
            let healthy = healthy(stage).await?;
            (healthy, poisoned(stage, poison).await?)
        } else {
            let poisoned = poisoned(stage, poison).await?;
            (healthy(stage).await?, poisoned)
        };
        *self.so_far() = SoFar { pairs: pairs + 1, healthy: Some(healthy) };
        stage.progress.note(&format!(
            "bench: poisoned-stream, pair {}: p50 {:.1} ms and {:.1} ms ({:.2}), p99 {:.1} ms and {:.1} ms ({:.2})",
            pairs + 1,
            healthy.p50,
            poisoned.p50,
            poisoned.p50 / healthy.p50,
            healthy.p99,
            poisoned.p99,
            poisoned.p99 / healthy.p99
        ));
        Ok(measures(&poisoned, &healthy, before.as_ref()))
    }

    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts inventory anew, with the panel or without.
async fn with_panel(stage: &Stage, fault_panel: FaultPanel) -> anyhow::Result<()> {
    stage.service.stop_inventory().await?;
    let mut inventory = stage.service.start_inventory(fault_panel)?;
    inventory.ready().await?;
    stage.service.take(inventory);
    Ok(())
}

async fn healthy(stage: &Stage) -> anyhow::Result<Phase> {
    stage.place_orders_at(RATE, LEAD_IN_SECONDS).await?;
    let outcomes = window(stage).await?;
    phase(&outcomes.settled(stage).await?, Blocked::default())
}

async fn poisoned(stage: &Stage, poison: &Poison<'_>) -> anyhow::Result<Phase> {
    poison.set().await?;
    let stop = AtomicBool::new(false);
    let load = async {
        stage.place_orders_at(RATE, LEAD_IN_SECONDS).await?;
        until_everywhere(stage, poison).await?;
        let window = window(stage).await?;
        stop.store(true, Ordering::Relaxed);
        anyhow::Ok(window)
    };
    let (window, ()) = tokio::try_join!(load, poison.feed(POISONED_PER_SECOND, &stop))?;
    let outcomes = window.settled(stage).await?;
    let blocked = poison.blocked().await?;
    poison.clear().await?;
    phase(&outcomes, blocked)
}

/// The load goes on until a stream of each partition is blocked.
async fn until_everywhere(stage: &Stage, poison: &Poison<'_>) -> anyhow::Result<()> {
    let (began, partitions) = (Instant::now(), stage.log.heads().await?.len());
    loop {
        let blocked = poison.blocked().await?;
        if usize::try_from(blocked.partitions)? >= partitions {
            return Ok(());
        }
        ensure!(
            began.elapsed() < POISONED_WITHIN,
            "after {POISONED_WITHIN:?} only {} of {partitions} partitions have a dead letter: see inventory's log",
            blocked.partitions
        );
        stage.place_orders_at(RATE, 1).await?;
    }
}

/// The heads around a measured window.
struct Window {
    from: Vec<i64>,
    to: Vec<i64>,
}

async fn window(stage: &Stage) -> anyhow::Result<Window> {
    let from = stage.log.heads().await?;
    let summary = stage.place_orders_at(RATE, stage.seconds).await?;
    ensure!(summary.accepted > 0, "no order was accepted; see the service's log:\n{summary}");
    Ok(Window { from, to: stage.log.heads().await? })
}

impl Window {
    async fn settled(&self, stage: &Stage) -> anyhow::Result<Outcomes> {
        Outcomes::between(stage, &self.from, &self.to, poison::USER).await
    }
}

fn phase(outcomes: &Outcomes, blocked: Blocked) -> anyhow::Result<Phase> {
    let percentile = |percent| {
        let why = || format!("{} orders have no outcome: see the service's log, or raise --drain", outcomes.missing);
        outcomes.percentile(percent).with_context(why)
    };
    let (p50, p99) = (percentile(50)?, percentile(99)?);
    Ok(Phase { p50, p99, orders: outcomes.count(), missing: outcomes.missing, blocked })
}

fn measures(poisoned: &Phase, healthy: &Phase, before: Option<&Phase>) -> Vec<Measure> {
    let mut measures = vec![
        Measure::new("p99, poisoned", "ms", poisoned.p99),
        Measure::new("p99, nothing wrong", "ms", healthy.p99),
        Measure::new("p50, poisoned", "ms", poisoned.p50),
        Measure::new("p50, nothing wrong", "ms", healthy.p50),
        Measure::new(ASKED, "orders/s", RATE),
        Measure::new("measured, poisoned", "orders", poisoned.orders as f64),
        Measure::new("measured, nothing wrong", "orders", healthy.orders as f64),
        Measure::new("others without an outcome", "orders", (poisoned.missing + healthy.missing) as f64),
        Measure::new("dead letters", "letters", poisoned.blocked.letters as f64),
        Measure::new("waiting behind them", "events", poisoned.blocked.followers as f64),
        Measure::new("p99, poisoned / nothing wrong", "×", poisoned.p99 / healthy.p99),
        Measure::new("p50, poisoned / nothing wrong", "×", poisoned.p50 / healthy.p50),
    ];
    // Last, for the first pair has none, and measures are listed as they come.
    if let Some(before) = before {
        measures.push(Measure::new("p99, nothing wrong / the last so", "×", healthy.p99 / before.p99));
        measures.push(Measure::new("p50, nothing wrong / the last so", "×", healthy.p50 / before.p50));
    }
    measures
}

/// Not the name under which the rows of acceptance tell their rate, which the picture shows.
const ASKED: &str = "asked, beside the poisoned";

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(p50: f64, p99: f64, letters: i64) -> Phase {
        Phase { p50, p99, orders: 10, missing: 0, blocked: Blocked { letters, ..Blocked::default() } }
    }

    #[test]
    fn a_pair_is_one_ratio_and_phases_with_nothing_wrong_are_held_against_each_other() {
        let measures = measures(&phase(3.0, 30.0, 4), &phase(2.0, 20.0, 0), Some(&phase(1.0, 40.0, 0)));
        let value = |name| measures.iter().find(|measure| measure.name == name).map(|measure| measure.value);
        assert_eq!(measures[0].name, "p99, poisoned");
        assert_eq!(value("p99, poisoned / nothing wrong"), Some(1.5));
        assert_eq!(value("p99, nothing wrong / the last so"), Some(0.5));
        assert_eq!(value("p50, nothing wrong / the last so"), Some(2.0));
        assert_eq!(value("dead letters"), Some(4.0));
    }

    #[test]
    fn the_first_phase_has_none_before_it() {
        let measures = measures(&phase(3.0, 30.0, 4), &phase(2.0, 20.0, 0), None);
        assert!(measures.iter().all(|measure| !measure.name.ends_with("the last so")));
    }
}
