//! SIGSTOP of one process for 3 to 8 s, as a machine that stalls; it goes on with old leases and old connections.

use futures::future::BoxFuture;

use super::{Fault, Wound, seconds};
use crate::load::Chance;
use crate::storm::stage::Stage;

pub struct ProcessStopped;

impl Fault for ProcessStopped {
    fn name(&self) -> &'static str {
        "process stopped"
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            let node = stage.any_node(chance);
            stage.nodes[node].signal("STOP").await?;
            Ok(Wound::of_node(stage.nodes[node].name(), node, seconds(chance, 3, 8)))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, wound: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async move { stage.nodes[wound.node].signal("CONT").await })
    }
}
