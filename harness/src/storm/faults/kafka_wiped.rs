//! The broker loses all it had, and comes back empty under another cluster id.

use std::time::Duration;

use futures::future::BoxFuture;

use super::{Fault, Wound};
use crate::load::Chance;
use crate::storm::stage::Stage;

pub struct KafkaWiped;

impl Fault for KafkaWiped {
    fn name(&self) -> &'static str {
        "kafka wiped"
    }

    fn empties_kafka(&self) -> bool {
        true
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, _: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            stage.kafka.run("kill").await?;
            stage.kafka.run("empty").await?;
            Ok(Wound::of("kafka", Duration::ZERO))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { stage.kafka.run("start").await.map(drop) })
    }
}
