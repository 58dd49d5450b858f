//! Accepted orders a second with everything running, what an order costs, and how many are carried to their end.

use std::time::Instant;

use anyhow::ensure;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::Row;
use crate::bench::measure::Measure;
use crate::bench::stage::{Commits, Cpu, Stage};
use crate::checker::Counts;
use crate::load::Summary;

pub const AT_64: Accepted = Accepted {
    name: "accepted-64",
    about: "accepted orders, every role in one of three processes, 64 connections",
    connections: 64,
    baseline: None,
};
pub const AT_256: Accepted = Accepted {
    name: "accepted-256",
    about: "accepted orders, every role in one of three processes, 256 connections",
    connections: 256,
    baseline: Some("accepted-64"),
};

pub struct Accepted {
    pub name: &'static str,
    about: &'static str,
    pub connections: usize,
    baseline: Option<&'static str>,
}

impl Row for Accepted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn baseline(&self) -> Option<&'static str> {
        self.baseline
    }

    fn round<'a>(&'a self, stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<Vec<Measure>>> {
        measure(self.connections, stage).boxed()
    }
}

struct Window {
    seconds: f64,
    cpu: (Cpu, Cpu),
    commits: (Option<Commits>, Option<Commits>),
    counts: (Counts, Counts),
}

pub async fn measure(connections: usize, stage: &Stage) -> anyhow::Result<Vec<Measure>> {
    let counts_before = stage.counts().await?;
    let commits_before = stage.commits().await?;
    let cpu_before = stage.cpu()?;
    let began = Instant::now();
    let summary = stage.place_orders(connections, stage.seconds).await?;
    let seconds = began.elapsed().as_secs_f64();
    // Processor time first: what follows costs some itself.
    let cpu_after = stage.cpu()?;
    let commits_after = stage.commits().await?;
    let counts_after = stage.counts().await?;
    ensure!(summary.accepted > 0, "no order was accepted; see the service's log:\n{summary}");
    let window = Window {
        seconds,
        cpu: (cpu_before, cpu_after),
        commits: (commits_before, commits_after),
        counts: (counts_before, counts_after),
    };
    let mut measures = of_window(&summary, &window);
    if let Some(drained) = stage.drain().await? {
        measures.push(Measure::new("drained after", "s", drained.as_secs_f64()));
        let total = cpu_of_system(&stage.cpu()?).zip(cpu_of_system(&cpu_before));
        if let Some((end, start)) = total {
            // Counting the log while it drains is in it: a few microseconds an order.
            measures.push(Measure::new(
                "CPU to the end, all three",
                "ms/order",
                (end - start) / summary.accepted as f64,
            ));
        }
    }
    Ok(measures)
}

fn of_window(summary: &Summary, window: &Window) -> Vec<Measure> {
    let accepted = summary.accepted as f64;
    let carried = window.counts.1.carried_to_the_end() - window.counts.0.carried_to_the_end();
    let refused: u64 = summary.refused.values().sum();
    let mut measures = vec![
        Measure::new("accepted", "orders/s", summary.orders_per_second),
        Measure::new("p50", "ms", summary.p50_ms),
        Measure::new("p99", "ms", summary.p99_ms),
    ];
    let (before, after) = &window.cpu;
    let servers = [
        ("CPU of ordo", Some(after.ordo - before.ordo)),
        ("CPU of Postgres", difference(before.postgres, after.postgres)),
        ("CPU of Kafka", difference(before.kafka, after.kafka)),
        ("CPU of this load", Some(after.load - before.load)),
    ];
    for (name, millis) in servers {
        measures.extend(millis.map(|millis| Measure::new(name, "ms/order", millis / accepted)));
    }
    if let (Some(before), Some(after)) = window.commits
        && after.commits > before.commits
    {
        let batch = (after.events - before.events) / (after.commits - before.commits);
        measures.push(Measure::new("batch", "events", batch));
    }
    measures.push(Measure::new("carried to the end", "orders/s", carried as f64 / window.seconds));
    measures.push(Measure::new("backlog left", "orders", window.counts.1.backlog() as f64));
    measures.push(Measure::new("refused or unknown", "orders", (refused + summary.unknown) as f64));
    measures
}

fn difference(before: Option<f64>, after: Option<f64>) -> Option<f64> {
    before.zip(after).map(|(before, after)| after - before)
}

fn cpu_of_system(cpu: &Cpu) -> Option<f64> {
    Some(cpu.ordo + cpu.postgres? + cpu.kafka?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn value(measures: &[Measure], name: &str) -> Option<f64> {
        measures.iter().find(|measure| measure.name == name).map(|measure| measure.value)
    }

    #[test]
    fn figures_are_differences_over_the_window() {
        let summary = Summary {
            accepted: 1_000,
            refused: BTreeMap::from([("unknown_product".into(), 2)]),
            unknown: 1,
            retries: 0,
            cancels: BTreeMap::new(),
            repeats: BTreeMap::new(),
            seconds: 2.0,
            orders_per_second: 500.0,
            p50_ms: 1.0,
            p90_ms: 2.0,
            p99_ms: 3.0,
            max_ms: 4.0,
        };
        let cpu = |ordo, postgres| Cpu { ordo, postgres, kafka: None, load: 0.0 };
        let commits = |commits, events| Some(Commits { commits, events });
        let counts = |created, confirmed, rejected| {
            let mut counts = Counts::default();
            counts.add(0, "order", "order.created", created, 1, 0);
            counts.add(0, "order", "order.confirmed", confirmed, 1, 0);
            counts.add(0, "order", "order.rejected", rejected, 1, 0);
            counts
        };
        let (before, after) = (counts(100, 100, 0), counts(1_100, 500, 100));
        let window = Window {
            seconds: 2.0,
            cpu: (cpu(50.0, Some(10.0)), cpu(550.0, Some(260.0))),
            commits: (commits(10.0, 100.0), commits(110.0, 1_300.0)),
            counts: (before, after),
        };
        let measures = of_window(&summary, &window);
        assert_eq!(value(&measures, "CPU of ordo"), Some(0.5));
        assert_eq!(value(&measures, "CPU of Postgres"), Some(0.25));
        assert_eq!(value(&measures, "CPU of Kafka"), None);
        assert_eq!(value(&measures, "batch"), Some(12.0));
        assert_eq!(value(&measures, "carried to the end"), Some(250.0));
        assert_eq!(value(&measures, "backlog left"), Some(500.0));
        assert_eq!(value(&measures, "refused or unknown"), Some(3.0));
        assert_eq!(measures[0].name, "accepted");
    }
}
