//! One ordo process: started on free ports with some roles, ready, frozen for a while, and stopped again.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::process::{Child, Command};

use super::frozen::Frozen;

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
const LOG_LINES_SHOWN: usize = 10;

pub struct Process {
    name: &'static str,
    child: Child,
    pub pid: u32,
    /// Where REST is, of a process that has the role.
    pub url: String,
    /// Where operators reach it.
    pub ops_url: String,
    log_file: PathBuf,
    http: reqwest::Client,
}

impl Process {
    /// Starts it; `command` is the program with its servers in the environment.
    pub fn start(name: &'static str, roles: &str, mut command: Command, log_file: &Path) -> anyhow::Result<Self> {
        let (rest, ops) = two_free_addresses()?;
        let output = File::create(log_file)
            .with_context(|| format!("could not write {}: choose another --results", log_file.display()))?;
        let child = command
            .args(["serve", "--roles", roles])
            .env("ORDO_HTTP__LISTEN", &rest)
            .env("ORDO_OPS__LISTEN", &ops)
            .env("ORDO_LOG__FILTER", "warn")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {name} ({})", command.as_std().get_program().display()))?;
        let pid = child.id().with_context(|| format!("{name} ended at once: start it by hand to see why"))?;
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let (url, ops_url) = (format!("http://{rest}"), format!("http://{ops}"));
        Ok(Self { name, child, pid, url, ops_url, log_file: log_file.to_owned(), http })
    }

    /// Asks the operators' listener, the only one that every process has.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let (began, address, name) = (Instant::now(), format!("{}/readyz", self.ops_url), self.name);
        let mut said = "no answer yet".to_owned();
        while began.elapsed() < READY_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                bail!("{name} ended with {status} before it was ready; {}", self.last_words());
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
        bail!("{name} was not ready within {READY_WITHIN:?} ({said}); {}", self.last_words())
    }

    /// SIGSTOP, until what is returned is dropped.
    pub fn freeze(&self) -> anyhow::Result<Frozen> {
        Frozen::process(self.name, self.pid).with_context(|| self.last_words())
    }

    /// The Prometheus text of the operators' listener.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        let answer = self.http.get(format!("{}/metrics", self.ops_url)).send().await;
        let text = async { answer?.error_for_status()?.text().await }.await;
        text.with_context(|| format!("{} showed no metrics; {}", self.name, self.last_words()))
    }

    pub async fn stop(mut self) -> anyhow::Result<()> {
        let name = self.name;
        let asked = Command::new("kill").arg("-TERM").arg(self.pid.to_string()).status().await;
        ensure!(asked.is_ok_and(|status| status.success()), "{name} is gone already; {}", self.last_words());
        match tokio::time::timeout(STOPPED_WITHIN, self.child.wait()).await {
            Ok(ended) => {
                let status = ended?;
                ensure!(status.success(), "{name} ended with {status}; {}", self.last_words());
                Ok(())
            }
            Err(_) => {
                self.child.kill().await?;
                bail!("{name} did not stop within {STOPPED_WITHIN:?} and was killed; {}", self.last_words())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degraded_process_is_not_ready() {
        assert!(is_ok(r#"{"status":"ok","findings":[]}"#));
        assert!(!is_ok(r#"{"status":"degraded"}"#));
        assert!(!is_ok("ok"));
    }
}
