//! The service under measurement: migrated, and served by three processes, so that consumers can be stopped apart.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, ensure};
use tokio::process::Command;

use super::frozen::Frozen;
use super::process::Process;

pub struct Service {
    /// Takes the orders: REST, writers, relay, and the consumer that confirms.
    pub main: Process,
    pub notification: Process,
    /// `None` while a row has it stopped.
    inventory: Mutex<Option<Process>>,
    /// Each has a log of its own.
    inventories_started: AtomicUsize,
    pub(super) launch: Launch,
}

/// The servers that the service is given.
#[derive(Clone)]
pub struct Servers {
    pub database_url: String,
    pub admin_database_url: String,
    pub brokers: String,
}

/// What every process is started with.
pub(super) struct Launch {
    pub(super) ordo: PathBuf,
    pub(super) servers: Servers,
    /// What their names begin with.
    pub(super) log_files: PathBuf,
}

/// Whether operators can make events of a process fail on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultPanel {
    On,
    Off,
}

impl Service {
    /// Logs go to `{log_files}-{process}.log`.
    pub async fn start(ordo: &Path, servers: &Servers, log_files: &Path) -> anyhow::Result<Self> {
        migrate(ordo, servers).await?;
        let launch = Launch { ordo: ordo.to_owned(), servers: servers.clone(), log_files: log_files.to_owned() };
        let mut main = launch.process("main", "http,relay,orders,views", "main", FaultPanel::Off)?;
        let mut inventory = launch.process("inventory", "inventory", "inventory", FaultPanel::Off)?;
        let mut notification = launch.process("notification", "notification", "notification", FaultPanel::Off)?;
        tokio::try_join!(main.ready(), inventory.ready(), notification.ready())?;
        let (inventory, inventories_started) = (Mutex::new(Some(inventory)), AtomicUsize::new(1));
        Ok(Self { main, notification, inventory, inventories_started, launch })
    }

    /// Of those that run.
    pub fn pids(&self) -> Vec<u32> {
        let inventory = self.inventory().as_ref().map(|inventory| inventory.pid);
        [self.main.pid, self.notification.pid].into_iter().chain(inventory).collect()
    }

    /// SIGSTOP for inventory, until what is returned is dropped.
    pub fn freeze_inventory(&self) -> anyhow::Result<Frozen> {
        self.inventory().as_ref().context("inventory is stopped already: report this")?.freeze()
    }

    /// Ends inventory's process, if there is one; orders are accepted on.
    pub async fn stop_inventory(&self) -> anyhow::Result<()> {
        let inventory = self.inventory().take();
        match inventory {
            Some(inventory) => inventory.stop().await,
            None => Ok(()),
        }
    }

    /// A new process of inventory, which the caller owns until [`Service::take`]; it may not be ready yet.
    pub fn start_inventory(&self, fault_panel: FaultPanel) -> anyhow::Result<Process> {
        let number = self.inventories_started.fetch_add(1, Ordering::Relaxed) + 1;
        self.launch.process("inventory", "inventory", &format!("inventory-{number}"), fault_panel)
    }

    /// Makes a process the service's inventory.
    pub fn take(&self, inventory: Process) {
        *self.inventory() = Some(inventory);
    }

    /// Where operators reach inventory.
    pub fn inventory_ops(&self) -> anyhow::Result<String> {
        let inventory = self.inventory();
        Ok(inventory.as_ref().context("inventory is stopped: report this")?.ops_url.clone())
    }

    /// The consumers first: what they still have under way may need the others.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop_inventory().await?;
        self.notification.stop().await?;
        self.main.stop().await
    }

    fn inventory(&self) -> MutexGuard<'_, Option<Process>> {
        self.inventory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Launch {
    fn process(
        &self,
        name: &'static str,
        roles: &str,
        log_name: &str,
        fault_panel: FaultPanel,
    ) -> anyhow::Result<Process> {
        let mut command = self.servers.command(&self.ordo);
        // Only where it is needed: the other rows measure what is shipped.
        if fault_panel == FaultPanel::On {
            command.env("ORDO_SUBSCRIPTION__FAULT_PANEL", "true");
        }
        let log_file = format!("{}-{log_name}.log", self.log_files.display());
        Process::start(name, roles, command, Path::new(&log_file))
    }
}

impl Servers {
    pub(super) fn command(&self, ordo: &Path) -> Command {
        let mut command = Command::new(ordo);
        command
            .env("DATABASE_URL", &self.database_url)
            .env("ORDO_ADMIN_DATABASE_URL", &self.admin_database_url)
            .env("KAFKA_BROKERS", &self.brokers);
        command
    }
}

pub(super) async fn migrate(ordo: &Path, servers: &Servers) -> anyhow::Result<()> {
    let output = servers.command(ordo).arg("migrate").output().await.with_context(|| {
        format!("could not start {}: build it (cargo build --release) or name it with --ordo", ordo.display())
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`ordo migrate` failed, mend what it says:\n{said}");
    Ok(())
}
