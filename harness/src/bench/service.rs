//! The service under measurement: migrated, started on free ports, ready, and stopped again.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::process::{Child, Command};

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
const LOG_LINES_SHOWN: usize = 10;

pub struct Service {
    child: Child,
    pub pid: u32,
    pub url: String,
    ops_url: String,
    log_file: PathBuf,
    http: reqwest::Client,
}

/// The servers that the service is given.
pub struct Servers<'a> {
    pub database_url: &'a str,
    pub admin_database_url: &'a str,
    pub brokers: &'a str,
}

impl Service {
    pub async fn start(ordo: &Path, servers: &Servers<'_>, log_file: &Path) -> anyhow::Result<Self> {
        migrate(ordo, servers).await?;
        let (rest, ops) = two_free_addresses()?;
        let output = File::create(log_file)
            .with_context(|| format!("could not write {}: choose another --results", log_file.display()))?;
        let child = servers
            .command(ordo)
            .arg("serve")
            .env("ORDO_HTTP__LISTEN", &rest)
            .env("ORDO_OPS__LISTEN", &ops)
            .env("ORDO_LOG__FILTER", "warn")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {}", ordo.display()))?;
        let pid = child.id().context("the service ended at once: start it by hand to see why")?;
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let (url, ops_url) = (format!("http://{rest}"), format!("http://{ops}"));
        let mut service = Self { child, pid, url, ops_url, log_file: log_file.to_owned(), http };
        service.wait_until_ready().await?;
        Ok(service)
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let (began, address) = (Instant::now(), format!("{}/readyz", self.url));
        let mut said = "no answer yet".to_owned();
        while began.elapsed() < READY_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                bail!("the service ended with {status} before it was ready; {}", self.last_words());
            }
            if let Ok(answer) = self.http.get(&address).send().await {
                let status = answer.status();
                said = answer.text().await.unwrap_or_default();
                if status.is_success() && is_ok(&said) {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the service was not ready within {READY_WITHIN:?} ({said}); {}", self.last_words())
    }

    /// The Prometheus text of the operators' listener.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        let answer = self.http.get(format!("{}/metrics", self.ops_url)).send().await;
        let text = async { answer?.error_for_status()?.text().await }.await;
        text.with_context(|| format!("the service showed no metrics; {}", self.last_words()))
    }

    pub async fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg("-TERM").arg(self.pid.to_string()).status().await;
        ensure!(asked.is_ok_and(|status| status.success()), "the service is gone already; {}", self.last_words());
        match tokio::time::timeout(STOPPED_WITHIN, self.child.wait()).await {
            Ok(ended) => {
                let status = ended?;
                ensure!(status.success(), "the service ended with {status}; {}", self.last_words());
                Ok(())
            }
            Err(_) => {
                self.child.kill().await?;
                bail!("the service did not stop within {STOPPED_WITHIN:?} and was killed; {}", self.last_words())
            }
        }
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log_file).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n  ");
        format!("mend what its log says ({}):\n  {last}", self.log_file.display())
    }
}

impl Servers<'_> {
    fn command(&self, ordo: &Path) -> Command {
        let mut command = Command::new(ordo);
        command
            .env("DATABASE_URL", self.database_url)
            .env("ORDO_ADMIN_DATABASE_URL", self.admin_database_url)
            .env("KAFKA_BROKERS", self.brokers);
        command
    }
}

async fn migrate(ordo: &Path, servers: &Servers<'_>) -> anyhow::Result<()> {
    let output = servers.command(ordo).arg("migrate").output().await.with_context(|| {
        format!("could not start {}: build it (cargo build --release) or name it with --ordo", ordo.display())
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`ordo migrate` failed, mend what it says:\n{said}");
    Ok(())
}

/// 200 is also what a degraded service answers, and one whose consumers have no partitions yet is no thing to measure.
fn is_ok(readiness: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(readiness).is_ok_and(|readiness| readiness["status"] == "ok")
}

/// Both are held until both are known, so that they differ; between this and the service's own bind lies a moment in
/// which another program could take them, and then the service says so.
fn two_free_addresses() -> anyhow::Result<(String, String)> {
    let bind = || TcpListener::bind("127.0.0.1:0").context("no port is free on 127.0.0.1: end some programs");
    let (rest, ops) = (bind()?, bind()?);
    Ok((rest.local_addr()?.to_string(), ops.local_addr()?.to_string()))
}
