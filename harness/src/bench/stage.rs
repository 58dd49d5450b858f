//! What a row stands on: the running service, its servers, and the instruments.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::Mutex;

use super::cpu::Processes;
use super::metrics;
use super::service::Service;
use crate::checker::{Counts, Log, Watch};
use crate::load::{Catalogue, Client, Pace, Patience, Summary, Traffic, Until};
use crate::progress::Progress;

const TIMEOUT: Duration = Duration::from_secs(10);
const PATIENCE: Patience = Patience { give_up: Duration::from_secs(30) };
/// The most that one receipt takes.
const STOCK_A_RECEIPT: u64 = 1_000_000;
const RECEIPTS: u64 = 5;
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub struct Stage {
    pub service: Service,
    pub catalogue: Catalogue,
    pub seconds: u64,
    pub drain_within: Duration,
    pub postgres_pid: Option<u32>,
    pub kafka_pid: Option<u32>,
    pub progress: Progress,
    watch: Mutex<Watch>,
    never_interrupted: AtomicBool,
}

/// Processor time so far, in milliseconds; `None` of a server whose process is not known.
#[derive(Clone, Copy)]
pub struct Cpu {
    pub ordo: f64,
    pub postgres: Option<f64>,
    pub kafka: Option<f64>,
    pub load: f64,
}

/// Commits and their events, since the service's start.
#[derive(Clone, Copy)]
pub struct Commits {
    pub commits: f64,
    pub events: f64,
}

impl Stage {
    pub async fn set(
        service: Service,
        log: Log,
        catalogue: Catalogue,
        seconds: u64,
        drain_within: Duration,
        progress: Progress,
    ) -> anyhow::Result<Self> {
        let partitions = log.heads().await?.len();
        Ok(Self {
            service,
            catalogue,
            seconds,
            drain_within,
            postgres_pid: None,
            kafka_pid: None,
            progress,
            watch: Mutex::new(Watch::from(log, vec![0; partitions])),
            never_interrupted: AtomicBool::new(false),
        })
    }

    /// Ample stock: a bench of acceptance must not turn into one of rejections.
    pub async fn seed(&self) -> anyhow::Result<()> {
        let client = Client::new(&self.service.url, 16, TIMEOUT)?;
        for receipt in 0..RECEIPTS {
            // Another quantity is another receipt; the same one again would be the same receipt.
            let stock = STOCK_A_RECEIPT - receipt;
            self.catalogue.seed(&client, stock, 0, &PATIENCE, &self.progress).await?;
        }
        Ok(())
    }

    /// Closed loop in this process, for so long.
    pub async fn place_orders(&self, connections: usize, seconds: u64) -> anyhow::Result<Summary> {
        let traffic = Traffic {
            client: Client::new(&self.service.url, connections, TIMEOUT)?,
            catalogue: self.catalogue.clone(),
            connections,
            pace: Pace::Closed,
            until: Until::Elapsed(Duration::from_secs(seconds)),
            patience: PATIENCE,
            cancel_percent: 0,
            cancel_within: Duration::ZERO,
            repeat_percent: 0,
            seed: 1,
            history: None,
        };
        traffic.run(&self.progress, &self.never_interrupted).await
    }

    /// What the log holds by now.
    pub async fn counts(&self) -> anyhow::Result<Counts> {
        let mut watch = self.watch.lock().await;
        watch.look().await?;
        Ok(watch.counts.clone())
    }

    /// Waits until every order has its outcome; how long it took, or `None` when the bound came first.
    pub async fn drain(&self) -> anyhow::Result<Option<Duration>> {
        let began = Instant::now();
        loop {
            let Some(awaited) = self.counts().await?.awaited() else { return Ok(Some(began.elapsed())) };
            if began.elapsed() >= self.drain_within {
                self.progress.note(&format!(
                    "bench: after {:?} still waiting for {awaited}; going on, the next figures include that work",
                    self.drain_within
                ));
                return Ok(None);
            }
            self.progress.show(&format!("draining: {awaited}"));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub fn cpu(&self) -> anyhow::Result<Cpu> {
        let processes = Processes::now()?;
        let tree = |pid: Option<u32>| pid.map(|pid| processes.tree_millis(pid)).transpose();
        Ok(Cpu {
            ordo: processes.tree_millis(self.service.pid)?,
            postgres: tree(self.postgres_pid).context("Postgres")?,
            kafka: tree(self.kafka_pid).context("Kafka")?,
            load: processes.own_millis(std::process::id()),
        })
    }

    /// `None` when the service does not count them.
    pub async fn commits(&self) -> anyhow::Result<Option<Commits>> {
        let text = self.service.metrics().await?;
        let (commits, events) =
            (metrics::sum(&text, "ordo_commits_total"), metrics::sum(&text, "ordo_commit_events_total"));
        Ok(commits.zip(events).map(|(commits, events)| Commits { commits, events }))
    }
}
