//! kill -9 of one process, started again at once or a little later.

use std::time::Duration;

use futures::future::BoxFuture;

use super::{Fault, Wound};
use crate::load::Chance;
use crate::storm::stage::Stage;

pub struct ProcessKilled;

impl Fault for ProcessKilled {
    fn name(&self) -> &'static str {
        "process killed"
    }

    fn times(&self) -> u32 {
        3
    }

    fn kills_a_process(&self) -> bool {
        true
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            let node = stage.any_node(chance);
            stage.nodes[node].kill().await?;
            let lasts = Duration::from_millis(chance.between(0, 1_500));
            Ok(Wound::of_node(stage.nodes[node].name(), node, lasts))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, wound: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async move { stage.nodes[wound.node].start() })
    }
}
