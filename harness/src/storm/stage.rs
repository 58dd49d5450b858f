//! What faults act upon: the processes, their servers, the wires between them.

use anyhow::{Context, ensure};
use sqlx::PgPool;

use super::node::Node;
use super::proxy::Proxy;
use super::server::Server;
use crate::load::Chance;

pub struct Stage {
    pub nodes: Vec<Node>,
    /// One more, with the consumers alone; it runs only while it disturbs the others.
    pub joiner: Node,
    pub postgres: Server,
    pub kafka: Server,
    pub to_postgres: Proxy,
    /// Only where the broker has a listener that tells its clients the proxy's address.
    pub to_kafka: Option<Proxy>,
    /// Past the proxy, as a role that may end sessions.
    pub db: PgPool,
    /// Where a process can be made to end, as it says itself.
    pub crash_points: Vec<String>,
}

/// A session of ordo's, as Postgres knows it.
const BACKENDS: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
     AND application_name = 'ordo' ORDER BY state = 'active' DESC, pid";

impl Stage {
    pub fn any_node(&self, chance: &mut Chance) -> usize {
        pick(self.nodes.len(), chance)
    }

    /// The process that serves one of ordo's sessions.
    pub async fn any_backend(&self, chance: &mut Chance) -> anyhow::Result<i32> {
        let backends: Vec<i32> = sqlx::query_scalar(BACKENDS)
            .fetch_all(&self.db)
            .await
            .context("Postgres did not list its sessions: see its log")?;
        ensure!(!backends.is_empty(), "ordo has no session in Postgres: see the log of its processes");
        Ok(backends[pick(backends.len(), chance)])
    }

    pub fn wire_to_kafka(&self) -> anyhow::Result<&Proxy> {
        self.to_kafka.as_ref().context("there is no proxy before Kafka: start it with --proxied")
    }

    /// Everything runs again, whatever was done to it.
    pub async fn mend(&mut self) -> anyhow::Result<()> {
        self.to_postgres.set(super::proxy::Weather::Open);
        if let Some(proxy) = &self.to_kafka {
            proxy.set(super::proxy::Weather::Open);
        }
        self.postgres.run("start").await?;
        self.kafka.run("start").await?;
        self.joiner.kill().await?;
        for node in &mut self.nodes {
            match node.ended()? {
                None if node.sight.pid().is_some() => node.signal("CONT").await?,
                _ => node.start()?,
            }
        }
        Ok(())
    }

    pub async fn kill_nodes(&mut self) {
        for node in self.nodes.iter_mut().chain([&mut self.joiner]) {
            // Dropping it kills it, too.
            _ = node.kill().await;
        }
    }
}

fn pick(count: usize, chance: &mut Chance) -> usize {
    usize::try_from(chance.next() % count.max(1) as u64).unwrap_or(0)
}
