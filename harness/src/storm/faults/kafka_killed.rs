//! kill -9 of the broker.

use futures::future::BoxFuture;

use super::{Fault, Wound, seconds};
use crate::load::Chance;
use crate::storm::stage::Stage;

pub struct KafkaKilled;

impl Fault for KafkaKilled {
    fn name(&self) -> &'static str {
        "kafka killed"
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            stage.kafka.run("kill").await?;
            Ok(Wound::of("kafka", seconds(chance, 0, 2)))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { stage.kafka.run("start").await.map(drop) })
    }
}
