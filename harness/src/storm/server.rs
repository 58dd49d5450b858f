//! One private server of the storm, handled by its script in `scripts/services/`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::process::Command;

const WORDS_SHOWN: usize = 400;
const ENDED_WITHIN: Duration = Duration::from_secs(20);

pub struct Server {
    name: &'static str,
    script: PathBuf,
    set: PathBuf,
}

impl Server {
    pub fn of(name: &'static str, scripts: &Path, set: &Path) -> Self {
        Self { name, script: scripts.join(format!("{name}.sh")), set: set.to_owned() }
    }

    /// Runs one verb of the script to its end; its answer.
    pub async fn run(&self, verb: &str) -> anyhow::Result<String> {
        let mut command = Command::new(&self.script);
        command.arg(verb).arg(&self.set).stdin(Stdio::null());
        let output = command
            .output()
            .await
            .with_context(|| format!("could not run {}: name the scripts with --scripts", self.script.display()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let last = &said[said.char_indices().rev().nth(WORDS_SHOWN).map_or(0, |(at, _)| at)..];
        ensure!(output.status.success(), "`{} {verb}` failed, mend what it says:\n{last}", self.script.display());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Its own process, not those it has started.
    pub async fn pid(&self) -> anyhow::Result<u32> {
        let answer = self.run("pid").await?;
        answer.trim().parse().with_context(|| format!("{} has no process id but {answer:?}: start it", self.name))
    }

    /// SIGQUIT, which is "immediate" to a postmaster: nothing is written, nobody is asked.
    pub async fn stop_immediately(&self) -> anyhow::Result<()> {
        let pid = self.pid().await?;
        signal(pid, "QUIT").await?;
        let began = Instant::now();
        while Path::new(&format!("/proc/{pid}")).exists() {
            if began.elapsed() > ENDED_WITHIN {
                bail!("{} (pid {pid}) did not end on SIGQUIT: see its log in {}", self.name, self.set.display());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

/// Sends a signal to a process.
pub async fn signal(pid: u32, name: &str) -> anyhow::Result<()> {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).stderr(Stdio::null()).status().await;
    ensure!(sent.is_ok_and(|status| status.success()), "process {pid} is gone already: see its log");
    Ok(())
}
