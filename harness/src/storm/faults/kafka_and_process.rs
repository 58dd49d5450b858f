//! Two at once: the broker is killed, and meanwhile every process that has records for it in memory is killed.

use std::time::Duration;

use futures::future::BoxFuture;

use super::{Fault, Wound};
use crate::load::Chance;
use crate::storm::stage::Stage;

pub struct KafkaAndProcess;

impl Fault for KafkaAndProcess {
    fn name(&self) -> &'static str {
        "kafka and processes killed"
    }

    fn kills_a_process(&self) -> bool {
        true
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            stage.kafka.run("kill").await?;
            tokio::time::sleep(Duration::from_millis(chance.between(1_000, 2_500))).await;
            stage.kill_nodes().await;
            Ok(Wound::of("kafka and all processes", Duration::from_millis(chance.between(0, 500))))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async move {
            for node in &mut stage.nodes {
                node.start()?;
            }
            stage.kafka.run("start").await.map(drop)
        })
    }
}
