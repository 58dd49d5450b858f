//! Two at once: Postgres is killed, and meanwhile every process that has a batch for it in memory.

use std::time::Duration;

use futures::future::BoxFuture;

use super::{Fault, Wound};
use crate::load::Chance;
use crate::storm::node::Node;
use crate::storm::stage::Stage;

pub struct PostgresAndProcess;

impl Fault for PostgresAndProcess {
    fn name(&self) -> &'static str {
        "postgres and processes killed"
    }

    fn kills_a_process(&self) -> bool {
        true
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            stage.postgres.run("kill").await?;
            tokio::time::sleep(Duration::from_millis(chance.between(1_000, 2_500))).await;
            stage.kill_nodes().await;
            Ok(Wound::of("postgres and all processes", Duration::from_millis(chance.between(0, 500))))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async move {
            stage.postgres.run("start").await?;
            stage.nodes.iter_mut().try_for_each(Node::start)
        })
    }
}
