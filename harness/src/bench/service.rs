//! The service under measurement: migrated, and served by three processes, so that consumers can be stopped apart.

use std::path::Path;

use anyhow::{Context, ensure};
use tokio::process::Command;

use super::process::Process;

pub struct Service {
    /// Takes the orders: REST, writers, relay, and the consumer that confirms.
    pub main: Process,
    pub inventory: Process,
    pub notification: Process,
}

/// The servers that the service is given.
pub struct Servers<'a> {
    pub database_url: &'a str,
    pub admin_database_url: &'a str,
    pub brokers: &'a str,
}

impl Service {
    /// Logs go to `{log_files}-{process}.log`.
    pub async fn start(ordo: &Path, servers: &Servers<'_>, log_files: &Path) -> anyhow::Result<Self> {
        migrate(ordo, servers).await?;
        let start = |name: &'static str, roles| {
            let log_file = format!("{}-{name}.log", log_files.display());
            Process::start(name, roles, servers.command(ordo), Path::new(&log_file))
        };
        let mut service = Self {
            main: start("main", "http,relay,orders,views")?,
            inventory: start("inventory", "inventory")?,
            notification: start("notification", "notification")?,
        };
        tokio::try_join!(service.main.ready(), service.inventory.ready(), service.notification.ready())?;
        Ok(service)
    }

    pub fn pids(&self) -> [u32; 3] {
        [self.main.pid, self.inventory.pid, self.notification.pid]
    }

    /// The consumers first: what they still have under way may need the others.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.notification.stop().await?;
        self.inventory.stop().await?;
        self.main.stop().await
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
