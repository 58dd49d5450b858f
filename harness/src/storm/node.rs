//! One ordo process: started on addresses of its own, signalled, killed, started again.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

use super::server::signal;

const READY_WITHIN: Duration = Duration::from_secs(60);
const LOG_LINES_SHOWN: usize = 8;
/// Below the range that outgoing connections take theirs from, or a port could be gone while its process is down.
const PORTS: std::ops::Range<u16> = 15_000..20_000;

/// Where a node can be seen from outside, by whoever watches while faults happen.
#[derive(Debug)]
pub struct Sight {
    pub number: usize,
    pub ops_url: String,
    /// 0 while there is no process.
    pid: AtomicU32,
}

impl Sight {
    pub fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::Acquire)).filter(|pid| *pid != 0)
    }
}

pub struct Node {
    pub sight: Arc<Sight>,
    pub url: String,
    ordo: PathBuf,
    environment: Vec<(String, String)>,
    /// Only these; all if none is named.
    roles: Option<&'static str>,
    log_file: PathBuf,
    child: Option<Child>,
    http: reqwest::Client,
}

impl Node {
    pub fn new(
        number: usize,
        ordo: &Path,
        mut environment: Vec<(String, String)>,
        results: &Path,
    ) -> anyhow::Result<Self> {
        let (rest, ops) = two_free_addresses(number)?;
        environment
            .extend([("ORDO_HTTP__LISTEN".to_owned(), rest.clone()), ("ORDO_OPS__LISTEN".to_owned(), ops.clone())]);
        let sight = Sight { number, ops_url: format!("http://{ops}"), pid: AtomicU32::new(0) };
        Ok(Self {
            sight: Arc::new(sight),
            url: format!("http://{rest}"),
            ordo: ordo.to_owned(),
            environment,
            roles: None,
            log_file: results.join(format!("ordo-{number}.log")),
            child: None,
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?,
        })
    }

    /// With these roles alone.
    pub fn with_roles(mut self, roles: &'static str) -> Self {
        self.roles = Some(roles);
        self
    }

    pub fn name(&self) -> String {
        format!("process {}", self.sight.number)
    }

    /// With more in its environment, such as a crash point.
    pub fn start_with(&mut self, more: &[(&str, &str)]) -> anyhow::Result<()> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log_file)
            .with_context(|| format!("could not write {}: choose another --results", self.log_file.display()))?;
        let child = Command::new(&self.ordo)
            .arg("serve")
            .args(self.roles.into_iter().flat_map(|roles| ["--roles", roles]))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {}: name it with --ordo", self.ordo.display()))?;
        self.sight.pid.store(child.id().unwrap_or(0), Ordering::Release);
        self.child = Some(child);
        Ok(())
    }

    pub fn start(&mut self) -> anyhow::Result<()> {
        self.start_with(&[])
    }

    /// SIGKILL, as a crash of the machine would.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.sight.pid.store(0, Ordering::Release);
        if let Some(mut child) = self.child.take() {
            child.kill().await.with_context(|| format!("{} could not be killed: see its log", self.name()))?;
        }
        Ok(())
    }

    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.sight.pid().with_context(|| format!("{} does not run: see its log", self.name()))?;
        signal(pid, name).await
    }

    /// How it ended, if it was not told to.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        let Some(child) = &mut self.child else { return Ok(None) };
        let ended = child.try_wait()?;
        if ended.is_some() {
            self.sight.pid.store(0, Ordering::Release);
            self.child = None;
        }
        Ok(ended)
    }

    /// Waits for its end, so long; `None` if it lives on.
    pub async fn ends_within(&mut self, limit: Duration) -> anyhow::Result<Option<ExitStatus>> {
        let Some(child) = &mut self.child else { return Ok(None) };
        let Ok(ended) = tokio::time::timeout(limit, child.wait()).await else { return Ok(None) };
        self.sight.pid.store(0, Ordering::Release);
        self.child = None;
        Ok(Some(ended?))
    }

    /// Until it serves, all its consumers with it.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        // Without the role for callers nobody listens for them.
        let listener = if self.roles.is_some() { &self.sight.ops_url } else { &self.url };
        let (began, address) = (Instant::now(), format!("{listener}/readyz"));
        let mut said = "no answer yet".to_owned();
        while began.elapsed() < READY_WITHIN {
            if let Some(status) = self.ended()? {
                bail!("{} ended with {status} before it was ready; {}", self.name(), self.last_words());
            }
            if let Ok(answer) = self.http.get(&address).send().await {
                said = answer.text().await.unwrap_or_default();
                // 200 is also what a service answers whose consumers have no partitions yet.
                if serde_json::from_str::<serde_json::Value>(&said).is_ok_and(|answer| answer["status"] == "ok") {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("{} was not ready within {READY_WITHIN:?} ({said}); {}", self.name(), self.last_words())
    }

    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log_file).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n  ");
        format!("see {}:\n  {last}", self.log_file.display())
    }
}

/// Both are held until both are known, so that they differ; each node looks in another place.
fn two_free_addresses(number: usize) -> anyhow::Result<(String, String)> {
    let first = (std::process::id() as usize + 50 * number) % PORTS.len();
    let candidates = PORTS.skip(first).chain(PORTS);
    let mut free = candidates.filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    let (rest, ops) = free.next().zip(free.next()).context("no ports are free on 127.0.0.1: end some programs")?;
    Ok((rest.local_addr()?.to_string(), ops.local_addr()?.to_string()))
}
