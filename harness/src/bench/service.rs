//! The service under measurement: migrated, served, filled, read.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sqlx::PgPool;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use super::processor;
use crate::load::{Catalogue, Client, Patience};
use crate::progress::Progress;

const READY_WITHIN: Duration = Duration::from_secs(60);
const DRAINED_WITHIN: Duration = Duration::from_secs(180);
const PRODUCTS: usize = 200;
/// Each product's stock, in receipts of the largest quantity there is, so that no order is ever short.
const STOCK: u64 = 1_000_000;

/// A running service with its servers.
pub struct Service {
    pub url: String,
    ops: String,
    process: Child,
    postgres_pid: u32,
    kafka_pid: u32,
    db: PgPool,
    http: reqwest::Client,
}

/// Everything that only grows, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    pub ordo_ms: f64,
    pub postgres_ms: f64,
    pub kafka_ms: f64,
    pub commits: f64,
    pub commit_events: f64,
    /// Orders in the log.
    pub created: f64,
    /// Orders confirmed or rejected.
    pub decided: f64,
}

fn required(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set: run `make bench`, which sets it"))
}

fn pid(name: &str) -> anyhow::Result<u32> {
    required(name)?.trim().parse().with_context(|| format!("{name} is no process id"))
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Service {
    /// Migrates, serves all roles, and fills the shop.
    pub async fn start(log: PathBuf, progress: &Progress) -> anyhow::Result<Self> {
        let binary = required("ORDO_BENCH_ORDO")?;
        let migrated = Command::new(&binary).arg("migrate").stdout(Stdio::null()).status().await;
        if !migrated.with_context(|| format!("{binary} cannot be run"))?.success() {
            bail!("the database could not be migrated, for the reason above");
        }
        let (url, ops) = (format!("127.0.0.1:{}", free_port()?), format!("127.0.0.1:{}", free_port()?));
        let process = Command::new(&binary)
            .arg("serve")
            .env("ORDO_HTTP__LISTEN", &url)
            .env("ORDO_OPS__LISTEN", &ops)
            .env("ORDO_LOG__FILTER", "warn")
            .stdout(Stdio::null())
            .stderr(File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?)
            .kill_on_drop(true)
            .spawn()?;
        let service = Self {
            url: format!("http://{url}"),
            ops: format!("http://{ops}"),
            process,
            postgres_pid: pid("ORDO_BENCH_POSTGRES_PID")?,
            kafka_pid: pid("ORDO_BENCH_KAFKA_PID")?,
            db: PgPool::connect(&required("DATABASE_URL")?).await?,
            http: reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?,
        };
        service.ready(&log).await?;
        let client = Client::new(&service.url, 16, Duration::from_secs(20))?;
        let patience = Patience { give_up: Duration::from_secs(30) };
        service.catalogue().seed(&client, STOCK, 0, &patience, progress).await?;
        Ok(service)
    }

    pub fn catalogue(&self) -> Catalogue {
        Catalogue { products: PRODUCTS, scarce: 0 }
    }

    async fn ready(&self, log: &std::path::Path) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let answer = self.http.get(format!("{}/readyz", self.url)).send().await;
            if let Ok(answer) = answer
                && let Ok(readiness) = answer.json::<serde_json::Value>().await
                && readiness["status"] == "ok"
            {
                return Ok(());
            }
            if began.elapsed() > READY_WITHIN {
                bail!("the service was not ready within {READY_WITHIN:?}: see {}", log.display());
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until every order is decided, so that one row's backlog does not burden the next.
    pub async fn drained(&self, progress: &Progress) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let (created, decided) = self.orders().await?;
            if created == decided {
                return Ok(());
            }
            if began.elapsed() > DRAINED_WITHIN {
                bail!("{} orders were still undecided after {DRAINED_WITHIN:?}", created - decided);
            }
            progress.show(&format!("waiting for {} orders to be decided", created - decided));
            sleep(Duration::from_millis(200)).await;
        }
    }

    pub async fn reading(&self) -> anyhow::Result<Reading> {
        let (created, decided) = self.orders().await?;
        let metrics = self.http.get(format!("{}/metrics", self.ops)).send().await?.text().await?;
        let ordo = self.process.id().context("the service has ended: see its log")?;
        Ok(Reading {
            ordo_ms: processor::milliseconds(ordo)?,
            postgres_ms: processor::milliseconds(self.postgres_pid)?,
            kafka_ms: processor::milliseconds(self.kafka_pid)?,
            commits: counter(&metrics, "ordo_commits_total"),
            commit_events: counter(&metrics, "ordo_commit_events_total"),
            created,
            decided,
        })
    }

    async fn orders(&self) -> anyhow::Result<(f64, f64)> {
        let (created, decided): (i64, i64) = sqlx::query_as(
            "select count(*) filter (where event_type = 'order.created'), \
             count(*) filter (where event_type in ('order.confirmed', 'order.rejected', 'order.cancelled')) from log",
        )
        .fetch_one(&self.db)
        .await?;
        Ok((created as f64, decided as f64))
    }

    pub async fn stop(mut self) {
        // It is to leave Kafka's groups properly; if it cannot be told, dropping it kills it.
        if let Some(pid) = self.process.id() {
            _ = Command::new("kill").arg(pid.to_string()).status().await;
            _ = tokio::time::timeout(Duration::from_secs(20), self.process.wait()).await;
        }
    }
}

/// A counter without labels; 0 while it has not been counted.
fn counter(metrics: &str, name: &str) -> f64 {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_read_by_its_whole_name() {
        let metrics = "# TYPE ordo_commits_total counter\nordo_commits_totally 9\nordo_commits_total 12\n";
        assert_eq!(counter(metrics, "ordo_commits_total"), 12.0);
        assert_eq!(counter(metrics, "ordo_commit_events_total"), 0.0);
    }
}
