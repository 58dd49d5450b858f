//! How fast inventory works through a backlog with every guarantee on, against a bare loop that writes the same rows: one
//! pair a round, each on an otherwise idle machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::Row;
use crate::bench::bare::Bare;
use crate::bench::measure::Measure;
use crate::bench::published;
use crate::bench::service::FaultPanel;
use crate::bench::stage::{Cpu, Stage};

const CONNECTIONS: usize = 256;
const LOOK_EVERY: Duration = Duration::from_millis(20);
const PUBLISHED_EVERY: Duration = Duration::from_millis(250);

#[derive(Default)]
pub struct InventoryCatchingUp {
    /// Of all rounds, for the order within a pair.
    pairs: AtomicUsize,
}

/// One way of doing the work.
#[derive(Clone, Copy)]
struct Half {
    events: f64,
    seconds: f64,
    cpu: (Cpu, Cpu),
}

impl Row for InventoryCatchingUp {
    fn name(&self) -> &'static str {
        "inventory-catching-up"
    }

    fn about(&self) -> &'static str {
        "inventory alone works through --backlog orders, in turns with a bare upsert and insert of the same rows"
    }

    fn round<'a>(&'a self, stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<Vec<Measure>>> {
        let pair = self.pairs.fetch_add(1, Ordering::Relaxed);
        measure(pair, stage).boxed()
    }
}

async fn measure(pair: usize, stage: &Stage) -> anyhow::Result<Vec<Measure>> {
    stage.service.stop_inventory().await?;
    let (from, to) = fill(stage).await?;
    // At rest, so they hold no lock; and the machine is left to what is measured.
    let frozen = [stage.service.notification.freeze()?, stage.service.main.freeze()?];
    let (inventory, bare) = if pair.is_multiple_of(2) {
        let inventory = catch_up(stage, &to).await?;
        (inventory, upsert(stage, &from, &to).await?)
    } else {
        let bare = upsert(stage, &from, &to).await?;
        (catch_up(stage, &to).await?, bare)
    };
    drop(frozen);
    let cores = std::thread::available_parallelism().context("could not count the cores: is /proc mounted?")?.get();
    let measures = measures(&inventory, &bare, cores as f64);
    // The rest of these orders' way is another row's.
    stage.drain().await?;
    Ok(measures)
}

/// Places the backlog and waits until it is in Kafka and whoever else reads it is done; the heads before and after.
async fn fill(stage: &Stage) -> anyhow::Result<(Vec<i64>, Vec<i64>)> {
    let from = stage.still().await?;
    let summary = stage.place_so_many_orders(CONNECTIONS, stage.backlog).await?;
    ensure!(summary.accepted > 0, "no order was accepted; see the service's log:\n{summary}");
    let began = Instant::now();
    loop {
        let to = stage.still().await?;
        if published::up_to(&to, &stage.database_url).await? {
            return Ok((from, to));
        }
        ensure!(
            began.elapsed() < stage.drain_within,
            "the relay has not published the log within {:?}: see the service's log, or raise --drain",
            stage.drain_within
        );
        tokio::time::sleep(PUBLISHED_EVERY).await;
    }
}

/// A moment at which so many events were in the log.
struct Moment {
    at: Instant,
    events: i64,
    cpu: Cpu,
}

/// Starts inventory anew and watches it, from the first batch it commits to the last: how long a process takes to start
/// and to be given its partitions is no part of it.
async fn catch_up(stage: &Stage, heads: &[i64]) -> anyhow::Result<Half> {
    let mut inventory = stage.service.start_inventory(FaultPanel::Off)?;
    let pid = inventory.pid;
    let counts = stage.counts().await?;
    let (before, awaited) = (heads.iter().sum::<i64>(), counts.created - counts.decided_by_inventory());
    let moment = |events| anyhow::Ok(Moment { at: Instant::now(), events, cpu: stage.cpu_with(&[pid])? });
    let watch = async {
        let (mut first, mut last, mut moved) = (None, before, Instant::now());
        loop {
            // Everybody else is frozen: what is appended is inventory's, one event an order.
            let events = stage.log.heads().await?.into_iter().sum();
            if events > last {
                (last, moved) = (events, Instant::now());
                if first.is_none() {
                    first = Some(moment(events)?);
                }
            }
            if let Some(first) = first.take_if(|_| events - before >= awaited) {
                return anyhow::Ok((first, moment(events)?));
            }
            ensure!(
                moved.elapsed() < stage.drain_within,
                "inventory stands still after {} of {awaited} orders: see its log",
                events - before
            );
            stage.progress.show(&format!("catching up: {} of {awaited} orders", events - before));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let ((first, last), ()) = tokio::try_join!(watch, inventory.ready())?;
    stage.service.take(inventory);
    let (events, seconds) = ((last.events - first.events) as f64, (last.at - first.at).as_secs_f64());
    ensure!(events > 0.0, "inventory was done at the first look: raise --backlog");
    Ok(Half { events, seconds, cpu: (first.cpu, last.cpu) })
}

async fn upsert(stage: &Stage, from: &[i64], to: &[i64]) -> anyhow::Result<Half> {
    stage.progress.show("the bare loop writes the same rows");
    let mut bare = Bare::set_up(stage, from, to).await?;
    let before = stage.cpu_with(&[])?;
    let took = bare.run().await?;
    let cpu = (before, stage.cpu_with(&[])?);
    let events = bare.events as f64;
    bare.tear_down().await?;
    Ok(Half { events, seconds: took.as_secs_f64(), cpu })
}

impl Half {
    fn rate(&self) -> f64 {
        self.events / self.seconds
    }

    /// Milliseconds an event.
    fn cost(&self, of: impl Fn(&Cpu) -> Option<f64>) -> Option<f64> {
        let (before, after) = (of(&self.cpu.0)?, of(&self.cpu.1)?);
        Some((after - before) / self.events)
    }
}

fn measures(inventory: &Half, bare: &Half, cores: f64) -> Vec<Measure> {
    let mut measures = vec![
        Measure::new("applied", "events/s", inventory.rate()),
        Measure::new("bare upsert", "events/s", bare.rate()),
        Measure::new("applied / bare (aim: 0.5)", "×", inventory.rate() / bare.rate()),
        Measure::new("applied a core (aim: 12,500)", "events/s", inventory.rate() / cores),
    ];
    let costs = [
        ("CPU of ordo", inventory.cost(|cpu| Some(cpu.ordo))),
        ("CPU of Postgres", inventory.cost(|cpu| cpu.postgres)),
        ("CPU of Kafka", inventory.cost(|cpu| cpu.kafka)),
        ("CPU of Postgres, bare", bare.cost(|cpu| cpu.postgres)),
        ("CPU of the bare loop", bare.cost(|cpu| Some(cpu.load))),
    ];
    for (name, millis) in costs {
        measures.extend(millis.map(|millis| Measure::new(name, "ms/event", millis)));
    }
    measures.push(Measure::new("measured", "events", inventory.events));
    measures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(events: f64, seconds: f64, ordo: f64, postgres: Option<f64>) -> Half {
        let cpu = |factor: f64| Cpu {
            ordo: ordo * factor,
            postgres: postgres.map(|millis| millis * factor),
            kafka: None,
            load: 0.0,
        };
        Half { events, seconds, cpu: (cpu(1.0), cpu(2.0)) }
    }

    #[test]
    fn rates_are_compared_and_costs_are_told_apart() {
        let measures = measures(&half(1_000.0, 0.5, 100.0, Some(50.0)), &half(1_000.0, 0.25, 0.0, None), 2.0);
        let value = |name| measures.iter().find(|measure| measure.name == name).map(|measure| measure.value);
        assert_eq!(measures[0], Measure::new("applied", "events/s", 2_000.0));
        assert_eq!(value("applied / bare (aim: 0.5)"), Some(0.5));
        assert_eq!(value("applied a core (aim: 12,500)"), Some(1_000.0));
        assert_eq!(value("CPU of ordo"), Some(0.1));
        assert_eq!(value("CPU of Postgres"), Some(0.05));
        assert_eq!(value("CPU of Kafka"), None);
        assert_eq!(value("CPU of Postgres, bare"), None);
    }
}
