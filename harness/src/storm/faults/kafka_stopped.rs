//! The broker is stopped for a while: orders go on being accepted, and are published when it is back.

use futures::future::BoxFuture;

use super::{Fault, Wound, seconds};
use crate::load::Chance;
use crate::storm::stage::Stage;

pub struct KafkaStopped;

impl Fault for KafkaStopped {
    fn name(&self) -> &'static str {
        "kafka stopped"
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            stage.kafka.run("stop").await?;
            Ok(Wound::of("kafka", seconds(chance, 3, 8)))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { stage.kafka.run("start").await.map(drop) })
    }
}
