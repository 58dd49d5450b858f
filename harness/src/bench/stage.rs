//! What a row stands on: the running service, its servers, and the instruments.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::{Mutex, OnceCell};

use super::cpu::Processes;
use super::metrics;
use super::past::Past;
use super::service::{Servers, Service};
use crate::checker::{Counts, Log, Watch};
use crate::load::{Catalogue, Client, Pace, Patience, Summary, Traffic, Until};
use crate::progress::Progress;

const TIMEOUT: Duration = Duration::from_secs(10);
const PATIENCE: Patience = Patience { give_up: Duration::from_secs(30) };
/// The most that one receipt takes.
const STOCK_A_RECEIPT: u64 = 1_000_000;
const RECEIPTS: u64 = 5;
/// Enough that an open loop stays open while answers take seconds.
const OPEN_CONNECTIONS: usize = 1_024;
const FULL_LOAD_CONNECTIONS: usize = 256;
const FULL_LOAD_SECONDS: u64 = 5;
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Longer than any pause between two batches of a consumer.
const STILL_FOR: Duration = Duration::from_secs(1);

pub struct Stage {
    pub service: Service,
    pub catalogue: Catalogue,
    pub seconds: u64,
    pub drain_within: Duration,
    /// Age of an old snapshot, in seconds, at the end of a measurement.
    pub snapshot_seconds: u64,
    /// Orders that inventory-catching-up works through.
    pub backlog: u64,
    /// Pairs of phases that a round of poisoned-stream has.
    pub pairs: u16,
    /// Events of the log that the rows of rebuilds stand on.
    pub past_events: u64,
    pub database_url: String,
    pub admin_database_url: String,
    pub postgres_pid: Option<u32>,
    pub kafka_pid: Option<u32>,
    pub progress: Progress,
    pub log: Log,
    watch: Mutex<Watch>,
    never_interrupted: AtomicBool,
    half_load: OnceCell<f64>,
    past: OnceCell<Past>,
}

/// What the command line says of every measurement.
pub struct Terms {
    pub servers: Servers,
    pub seconds: u64,
    pub drain_within: Duration,
    pub snapshot_seconds: u64,
    pub backlog: u64,
    pub pairs: u16,
    pub past_events: u64,
    pub postgres_pid: Option<u32>,
    pub kafka_pid: Option<u32>,
}

/// Processor time so far, in milliseconds; `None` of a server whose process is not known.
#[derive(Clone, Copy)]
pub struct Cpu {
    /// Of those of its processes that were asked about, together.
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
        terms: Terms,
        progress: Progress,
    ) -> anyhow::Result<Self> {
        let partitions = log.heads().await?.len();
        Ok(Self {
            service,
            catalogue,
            seconds: terms.seconds,
            drain_within: terms.drain_within,
            snapshot_seconds: terms.snapshot_seconds,
            backlog: terms.backlog,
            pairs: terms.pairs,
            past_events: terms.past_events,
            database_url: terms.servers.database_url,
            admin_database_url: terms.servers.admin_database_url,
            postgres_pid: terms.postgres_pid,
            kafka_pid: terms.kafka_pid,
            progress,
            watch: Mutex::new(Watch::from(log.clone(), vec![0; partitions])),
            log,
            never_interrupted: AtomicBool::new(false),
            half_load: OnceCell::new(),
            past: OnceCell::new(),
        })
    }

    /// The log with a past, which is made when it is first asked for.
    pub async fn past(&self) -> anyhow::Result<&Past> {
        self.past.get_or_try_init(|| Past::make(&self.service, self.past_events, &self.progress)).await
    }

    /// Ample stock, at the service there: a bench of acceptance must not turn into one of rejections.
    pub async fn seed(&self, url: &str) -> anyhow::Result<()> {
        let client = Client::new(url, 16, TIMEOUT)?;
        for receipt in 0..RECEIPTS {
            // Another quantity is another receipt; the same one again would be the same receipt.
            let stock = STOCK_A_RECEIPT - receipt;
            self.catalogue.seed(&client, stock, 0, &PATIENCE, &self.progress).await?;
        }
        Ok(())
    }

    /// Closed loop in this process, for so long.
    pub async fn place_orders(&self, connections: usize, seconds: u64) -> anyhow::Result<Summary> {
        let url = &self.service.main.url;
        self.traffic(url, Pace::Closed, connections, Until::Elapsed(Duration::from_secs(seconds))).await
    }

    /// Closed loop, so many orders.
    pub async fn place_so_many_orders(&self, connections: usize, orders: u64) -> anyhow::Result<Summary> {
        self.traffic(&self.service.main.url, Pace::Closed, connections, Until::Orders(orders)).await
    }

    /// Open loop at so many orders a second, for so long and until all are answered.
    pub async fn place_orders_at(&self, rate: f64, seconds: u64) -> anyhow::Result<Summary> {
        let (url, until) = (&self.service.main.url, Until::Elapsed(Duration::from_secs(seconds)));
        self.traffic(url, Pace::Open { rate }, OPEN_CONNECTIONS, until).await
    }

    /// Orders at the service there.
    pub async fn traffic(&self, url: &str, pace: Pace, connections: usize, until: Until) -> anyhow::Result<Summary> {
        let traffic = Traffic {
            client: Client::new(url, connections, TIMEOUT)?,
            catalogue: self.catalogue.clone(),
            connections,
            pace,
            until,
            patience: PATIENCE,
            cancel_percent: 0,
            cancel_within: Duration::ZERO,
            repeat_percent: 0,
            marks: Vec::new(),
            seed: 1,
            history: None,
        };
        traffic.run(&self.progress, &self.never_interrupted).await
    }

    /// Half of the orders a second that a closed loop gets accepted: measured when it is first asked for, drained after.
    pub async fn half_load(&self) -> anyhow::Result<f64> {
        let measured = self.half_load.get_or_try_init(|| async {
            let summary = self.place_orders(FULL_LOAD_CONNECTIONS, FULL_LOAD_SECONDS).await?;
            ensure!(summary.accepted > 0, "no order was accepted; see the service's log:\n{summary}");
            let half = (summary.orders_per_second / 2.0).round().max(1.0);
            self.progress.note(&format!("bench: half load is {half:.0} orders/s"));
            self.drain().await?;
            anyhow::Ok(half)
        });
        measured.await.copied()
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

    /// Waits until no event was appended for a second; the heads then.
    ///
    /// # Errors
    /// Somebody still appends when the bound of a drain is over.
    pub async fn still(&self) -> anyhow::Result<Vec<i64>> {
        let began = Instant::now();
        loop {
            let mut watch = self.watch.lock().await;
            watch.look().await?;
            if watch.is_still(STILL_FOR) {
                return Ok(watch.heads().to_vec());
            }
            drop(watch);
            ensure!(
                began.elapsed() < self.drain_within,
                "after {:?} events are still appended: raise --drain",
                self.drain_within
            );
            self.progress.show("waiting until nothing is appended");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whatever is missing so far is awaited no longer: orders that were made to fail have no outcome.
    pub async fn await_no_more(&self) -> anyhow::Result<()> {
        let heads = self.still().await?;
        *self.watch.lock().await = Watch::from(self.log.clone(), heads);
        Ok(())
    }

    /// With every process of the service that runs.
    pub fn cpu(&self) -> anyhow::Result<Cpu> {
        self.cpu_with(&self.service.pids())
    }

    /// With these processes of the service and no others.
    pub fn cpu_with(&self, pids: &[u32]) -> anyhow::Result<Cpu> {
        let processes = Processes::now()?;
        let tree = |pid: Option<u32>| pid.map(|pid| processes.tree_millis(pid)).transpose();
        let ordo = pids.iter().map(|pid| processes.tree_millis(*pid)).sum::<anyhow::Result<f64>>()?;
        Ok(Cpu {
            ordo,
            postgres: tree(self.postgres_pid).context("Postgres")?,
            kafka: tree(self.kafka_pid).context("Kafka")?,
            load: processes.own_millis(std::process::id()),
        })
    }

    /// Of the writers, all of which are in the main process; `None` when it does not count them.
    pub async fn commits(&self) -> anyhow::Result<Option<Commits>> {
        let text = self.service.main.metrics().await?;
        let (commits, events) =
            (metrics::sum(&text, "ordo_commits_total"), metrics::sum(&text, "ordo_commit_events_total"));
        Ok(commits.zip(events).map(|(commits, events)| Commits { commits, events }))
    }
}
