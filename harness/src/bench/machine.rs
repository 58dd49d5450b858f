//! On what it was measured: without this a figure says nothing.

use std::fmt;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Serialize;
use tokio::process::Command;

use crate::checker::Log;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    pub cores: usize,
    pub kernel: String,
    pub ordo: String,
    pub postgres: String,
    /// Read from the broker's class path; Kafka does not tell it over the wire.
    pub kafka: Option<String>,
    pub librdkafka: String,
}

impl Machine {
    pub async fn look(ordo: &Path, log: &Log, kafka_pid: Option<u32>) -> anyhow::Result<Self> {
        Ok(Self {
            cores: std::thread::available_parallelism().context("could not count the cores: is /proc mounted?")?.get(),
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            ordo: version_of(ordo).await?,
            postgres: log.server_version().await?,
            kafka: kafka_pid.and_then(|pid| {
                let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
                kafka_version(&String::from_utf8_lossy(&command))
            }),
            librdkafka: rdkafka::util::get_rdkafka_version().1,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kafka = self.kafka.as_deref().unwrap_or("of unknown version");
        write!(
            f,
            "{} cores, Linux {}, {}, Postgres {}, Kafka {kafka}, librdkafka {}",
            self.cores, self.kernel, self.ordo, self.postgres, self.librdkafka
        )
    }
}

async fn version_of(ordo: &Path) -> anyhow::Result<String> {
    let output = Command::new(ordo).arg("--version").output().await.with_context(|| {
        format!("could not start {}: build it (cargo build --release) or name it with --ordo", ordo.display())
    })?;
    ensure!(output.status.success(), "{} --version ended with {}: build it again", ordo.display(), output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `…/kafka_2.13-4.3.1.jar…`, or a folder of that name.
fn kafka_version(command: &str) -> Option<String> {
    command.split("/kafka").skip(1).find_map(|rest| {
        let (_, after) = rest.split_once('-')?;
        let end = after.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(after.len());
        let version = after[..end].trim_end_matches('.');
        version.contains('.').then(|| version.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kafka_is_known_by_its_jar_or_folder() {
        assert_eq!(kafka_version("java -cp /a/kafka_2.13-4.3.1.jar:/b").as_deref(), Some("4.3.1"));
        assert_eq!(kafka_version("java -cp /a/kafka-4.3.1/* kafka.Kafka").as_deref(), Some("4.3.1"));
        assert_eq!(kafka_version("java -jar broker.jar"), None);
    }
}
