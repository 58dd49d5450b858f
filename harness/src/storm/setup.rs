//! Sets the stage: a database and topics of the storm's own, the wires, the processes, and their load.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::process::{Child, Command};

use super::forms::Form;
use super::node::Node;
use super::proxy::Proxy;
use super::scenarios::{Scenario, Traffic};
use super::server::{Server, signal};
use super::stage::Stage;

/// What the client of a load waits for one answer.
pub const CLIENT_PATIENCE: Duration = Duration::from_secs(10);
/// What a process does that only joins the consumer groups.
const CONSUMER_ROLES: &str = "inventory,orders,notification,analytics";
const LOAD_ENDS_WITHIN: Duration = Duration::from_secs(100);

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Ground {
    pub ordo: PathBuf,
    /// Directory of the harness' own programs.
    pub programs: PathBuf,
    /// `scripts/services`.
    pub scripts: PathBuf,
    /// The private set of servers.
    pub set: PathBuf,
    pub results: PathBuf,
}

/// Addresses of the set's servers, past every proxy.
#[derive(Clone, Debug)]
pub struct Addresses {
    pub admin_url: String,
    pub brokers: String,
    /// Where the broker listens for what comes through a proxy, and where that proxy has to listen.
    pub kafka_proxy: Option<(String, String)>,
}

impl Addresses {
    pub async fn of(ground: &Ground) -> anyhow::Result<Self> {
        let postgres = Server::of("postgres", &ground.scripts, &ground.set).run("env").await?;
        let kafka = Server::of("kafka", &ground.scripts, &ground.set).run("env").await?;
        let named = |text: &str, name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
        };
        let missing = || format!("{} does not name its servers: start them in this set", ground.set.display());
        Ok(Self {
            admin_url: named(&postgres, "ORDO_ADMIN_DATABASE_URL").with_context(missing)?,
            brokers: named(&kafka, "KAFKA_BROKERS").with_context(missing)?,
            kafka_proxy: named(&kafka, "KAFKA_PROXIED").zip(named(&kafka, "KAFKA_PROXY")),
        })
    }

    /// The storm's own database.
    fn database(&self, name: &str) -> anyhow::Result<String> {
        let (server, _) = self.admin_url.rsplit_once('/').context("the address of Postgres names no database")?;
        Ok(format!("{server}/{name}"))
    }
}

/// The storm's own data, and the programs that use it.
pub struct Own {
    /// Name of the database; with a dot, in front of every topic.
    pub name: String,
    pub database_url: String,
    pub brokers: String,
    admin_url: String,
}

impl Own {
    /// Under a name never used before: topics outlive a storm.
    async fn create(ground: &Ground, addresses: &Addresses) -> anyhow::Result<Self> {
        let name = format!("storm_{}", uuid::Uuid::new_v4().simple());
        let mut admin = connect(&addresses.admin_url).await?;
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut admin)
            .await
            .context("the storm's database could not be made: the role needs createdb")?;
        let own = Self {
            database_url: addresses.database(&name)?,
            brokers: addresses.brokers.clone(),
            admin_url: addresses.admin_url.clone(),
            name,
        };
        let mut migrate = Command::new(&ground.ordo);
        migrate.arg("migrate").env("DATABASE_URL", &own.database_url).env_remove("ORDO_ADMIN_DATABASE_URL");
        let output = migrate.output().await.with_context(|| {
            format!("could not start {}: build it with crash points, or name it with --ordo", ground.ordo.display())
        })?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`ordo migrate` failed, mend what it says:\n{said}");
        Ok(own)
    }

    /// After a storm that left nothing to look at.
    pub async fn drop(&self) -> anyhow::Result<()> {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let mut admin = connect(&self.admin_url).await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut admin).await.context("could not drop the database")?;
        Ok(())
    }

    async fn pool(&self) -> anyhow::Result<PgPool> {
        let pool = PgPoolOptions::new().max_connections(3).acquire_timeout(Duration::from_secs(3));
        pool.connect(&self.database_url).await.context("could not connect to Postgres: see its log")
    }
}

async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    PgConnection::connect(url).await.context("could not connect to Postgres: start it in this set")
}

/// The stage with its processes started and ready.
pub async fn set(
    ground: &Ground,
    addresses: &Addresses,
    scenario: &dyn Scenario,
    form: &Form,
) -> anyhow::Result<(Stage, Own)> {
    let crash_points = crash_points(&ground.ordo).await?;
    let own = Own::create(ground, addresses).await?;
    let (credentials, server) = own.database_url.rsplit_once('@').context("the address of Postgres names no user")?;
    let (server, database) = server.split_once('/').context("the address of Postgres names no database")?;
    let to_postgres = Proxy::start("127.0.0.1:0", server.to_owned()).await?;
    let to_kafka = match &addresses.kafka_proxy {
        Some((proxied, listen)) => Some(Proxy::start(listen, proxied.clone()).await?),
        None => None,
    };
    let brokers = to_kafka.as_ref().map_or_else(|| addresses.brokers.clone(), |proxy| proxy.address.to_string());
    let mut environment = vec![
        ("DATABASE_URL", format!("{credentials}@{}/{database}", to_postgres.address)),
        ("KAFKA_BROKERS", brokers),
        ("ORDO_KAFKA__TOPIC_PREFIX", format!("{}.", own.name)),
        ("ORDO_KAFKA__SESSION_TIMEOUT", "6s".to_owned()),
        ("ORDO_POSTGRES__POOL", "15".to_owned()),
        ("ORDO_LOG__FILTER", "info,ordo::kafka=debug".to_owned()),
    ];
    environment.extend(scenario.environment().into_iter().map(|(name, value)| (name, value.to_owned())));
    environment.extend(form.defect.map(|defect| ("ORDO_DEFECT", defect.to_owned())));
    let environment: Vec<(String, String)> =
        environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let mut nodes = Vec::new();
    for number in 1..=form.processes {
        let mut node = Node::new(number, &ground.ordo, environment.clone(), &ground.results)?;
        node.start()?;
        nodes.push(node);
    }
    for node in &mut nodes {
        node.ready().await?;
    }
    let joiner = Node::new(form.processes + 1, &ground.ordo, environment, &ground.results)?.with_roles(CONSUMER_ROLES);
    let stage = Stage {
        nodes,
        joiner,
        postgres: Server::of("postgres", &ground.scripts, &ground.set),
        kafka: Server::of("kafka", &ground.scripts, &ground.set),
        to_postgres,
        to_kafka,
        db: own.pool().await?,
        crash_points,
    };
    Ok((stage, own))
}

/// A point that does not exist is refused with the list of those that do.
async fn crash_points(ordo: &Path) -> anyhow::Result<Vec<String>> {
    let asked = Command::new(ordo).arg("serve").env("ORDO_CRASH_AT", "?").kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(20), asked)
        .await
        .context("ordo does not refuse an unknown crash point: build this checkout")?
        .with_context(|| format!("could not start {}: name it with --ordo", ordo.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let points = said.lines().find_map(|line| line.split_once("no such point; there are ")).map(|(_, points)| points);
    let Some(points) = points else {
        bail!("ordo has no crash points: build it with --features crash-points ({})", said.trim());
    };
    Ok(points.split(", ").map(|point| point.trim().to_owned()).collect())
}

/// The load, one program for each process.
pub struct Load {
    programs: Vec<Child>,
    pub histories: Vec<PathBuf>,
}

impl Load {
    pub fn start(
        ground: &Ground,
        scenario: &dyn Scenario,
        form: &Form,
        seed: u64,
        nodes: &[Node],
    ) -> anyhow::Result<Self> {
        let mut load = Self { programs: Vec::new(), histories: Vec::new() };
        for node in nodes {
            let number = node.sight.number;
            let history = ground.results.join(format!("history-{number}.jsonl"));
            let traffic = Traffic {
                url: &node.url,
                rate: form.rate / nodes.len() as f64,
                seed: seed.wrapping_add(number as u64),
                cancel_percent: form.cancel_percent,
                repeat_percent: form.repeat_percent,
                faulty: form.faulty,
                timeout: CLIENT_PATIENCE,
                history: &history,
            };
            let file = ground.results.join(format!("load-{number}.log"));
            let output = std::fs::File::create(&file)
                .with_context(|| format!("could not write {}: choose another --results", file.display()))?;
            let program = ground.programs.join("load");
            let child = Command::new(&program)
                .args(scenario.load(&traffic))
                .stdin(Stdio::null())
                .stdout(output.try_clone()?)
                .stderr(output)
                .kill_on_drop(true)
                .spawn()
                .with_context(|| {
                    format!("could not start {}: cargo build -p ordo-harness --bins", program.display())
                })?;
            load.programs.push(child);
            load.histories.push(history);
        }
        Ok(load)
    }

    /// It is not to end before it is told to.
    pub fn runs(&mut self) -> anyhow::Result<()> {
        for program in &mut self.programs {
            if let Some(status) = program.try_wait()? {
                bail!("the load ended with {status}: see load-*.log in the results");
            }
        }
        Ok(())
    }

    /// No further orders; those under way are carried to their end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        for program in &self.programs {
            if let Some(pid) = program.id() {
                signal(pid, "TERM").await?;
            }
        }
        for program in &mut self.programs {
            let ended = tokio::time::timeout(LOAD_ENDS_WITHIN, program.wait()).await;
            let status = ended.context("the load does not end: see load-*.log in the results")??;
            ensure!(status.success(), "the load ended with {status}: see load-*.log in the results");
        }
        Ok(())
    }
}
