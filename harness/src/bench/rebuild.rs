//! A rebuild of a read model, started as an operator would and watched until it is ready.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::past::Past;
use super::process::Process;

/// What is rebuilt: the model with the most events.
pub const MODEL: &str = "order_view";
/// Streams of the events it is made of.
pub const STREAMS: &str = "order:";
const LOOK_EVERY: Duration = Duration::from_millis(25);
const READY_WITHIN: Duration = Duration::from_secs(900);
const OLDEST: &str = "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 \
     FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";

/// How it went.
#[derive(Clone, Debug, Default)]
pub struct Rebuilt {
    /// How long it was in each phase, in order.
    pub phases: Vec<(String, Duration)>,
    /// Age of the oldest transaction seen meanwhile, of any session of that database; vacuum's own are not counted.
    pub oldest_transaction: f64,
    /// Rows compared, and rows that differed.
    pub compared: (f64, f64),
    /// Why it waited by itself, if it did.
    pub held: Option<String>,
}

impl Rebuilt {
    /// Seconds of one phase; 0 if it was too short to be seen.
    pub fn seconds(&self, phase: &str) -> f64 {
        self.phases.iter().filter(|(name, _)| name == phase).map(|(_, took)| took.as_secs_f64()).sum()
    }

    /// From the first phase to where both versions are written by the same transactions.
    pub fn until_attached(&self) -> f64 {
        self.phases.iter().filter(|(name, _)| name != "verify").map(|(_, took)| took.as_secs_f64()).sum()
    }

    /// And to where it is compared.
    pub fn until_ready(&self) -> f64 {
        self.until_attached() + self.seconds("verify")
    }
}

/// Rebuilds with these workers, at most `rate` events a second, and gives the version up afterwards.
pub async fn rebuild(process: &Process, past: &Past, workers: usize, rate: u32) -> anyhow::Result<Rebuilt> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
    let started =
        act(&http, process, "rebuild", &json!({ "projection": MODEL, "workers": workers, "rate": rate })).await?;
    let version = started["outcome"]["version"].clone();
    forget_peak_memory(process.pid)?;
    let (began, mut rebuilt) = (Instant::now(), Rebuilt::default());
    let mut since = began;
    loop {
        let seen = show(&http, process, &version).await?;
        let phase = seen["phase"].as_str().unwrap_or("prepare").to_owned();
        let now = Instant::now();
        match rebuilt.phases.last_mut() {
            Some((last, took)) if *last == phase => *took += now - since,
            Some((_, took)) => {
                *took += now - since;
                rebuilt.phases.push((phase.clone(), Duration::ZERO));
            }
            None => rebuilt.phases.push((phase.clone(), now - since)),
        }
        since = now;
        let oldest: f64 = sqlx::query_scalar(OLDEST).fetch_one(&past.db).await?;
        rebuilt.oldest_transaction = rebuilt.oldest_transaction.max(oldest);
        match seen["state"].as_str() {
            Some("failed") => bail!("the rebuild failed: {}", seen["why"]),
            Some("held") => rebuilt.held = seen["why"].as_str().map(str::to_owned),
            _ => {}
        }
        if phase == "ready" {
            let count = |field: &str| seen[field].as_f64().unwrap_or_default();
            rebuilt.compared = (count("rowsCompared"), count("rowsDifferent"));
            break;
        }
        ensure!(began.elapsed() < READY_WITHIN, "the rebuild is not ready after {READY_WITHIN:?}: {seen}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    rebuilt.phases.pop();
    act(&http, process, "cancel", &json!({ "projection": MODEL })).await?;
    ensure!(rebuilt.compared.1 == 0.0, "{} rows of {} differ: report this", rebuilt.compared.1, rebuilt.compared.0);
    Ok(rebuilt)
}

async fn act(http: &reqwest::Client, process: &Process, verb: &str, args: &Value) -> anyhow::Result<Value> {
    let url = format!("{}/ops/v1/projections/{verb}", process.ops_url);
    let body = json!({ "args": args, "reason": "bench" });
    let answer = http.post(url).json(&body).send().await?;
    let (status, said) = (answer.status(), answer.text().await?);
    ensure!(status.is_success(), "`ordo projections {verb}` was refused: {said}");
    Ok(serde_json::from_str(&said)?)
}

async fn show(http: &reqwest::Client, process: &Process, version: &Value) -> anyhow::Result<Value> {
    let url = format!("{}/ops/v1/projections/{MODEL}", process.ops_url);
    let answer: Value = http.get(url).send().await?.error_for_status()?.json().await?;
    let versions = answer["versions"].as_array().context("no versions in the answer")?;
    versions
        .iter()
        .find(|known| known["version"] == *version)
        .cloned()
        .context("the version that is made is not listed")
}

/// From now on the peak is that of what follows (`man 5 proc`, clear_refs).
fn forget_peak_memory(pid: u32) -> anyhow::Result<()> {
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").context("could not reset the peak of a process' memory")
}

/// Most memory that a process has had since the last rebuild began, in MiB.
pub fn peak_memory(pid: u32) -> anyhow::Result<f64> {
    let status =
        std::fs::read_to_string(format!("/proc/{pid}/status")).context("could not read /proc: is it Linux?")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in /proc/…/status")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comparison_is_no_part_of_the_rebuild_into_the_table() {
        let phase = |name: &str, seconds| (name.to_owned(), Duration::from_secs(seconds));
        let phases = vec![phase("prepare", 1), phase("bulk", 10), phase("index", 2), phase("verify", 4)];
        let rebuilt = Rebuilt { phases, ..Rebuilt::default() };
        assert_eq!((rebuilt.until_attached(), rebuilt.until_ready()), (13.0, 17.0));
        assert_eq!((rebuilt.seconds("bulk"), rebuilt.seconds("catch up")), (10.0, 0.0));
    }
}
