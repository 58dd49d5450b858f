//! SIGSTOP of one of two processes for longer than its lease and its Kafka session: the other takes its work over, and the
//! first wakes up as an owner that no longer is one.

use futures::future::BoxFuture;

use super::{Fault, Needs, Wound, seconds};
use crate::load::Chance;
use crate::storm::stage::Stage;

pub struct StoppedPastLease;

impl Fault for StoppedPastLease {
    fn name(&self) -> &'static str {
        "stopped past its lease"
    }

    fn needs(&self) -> Needs {
        Needs::TwoProcesses
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            let node = stage.any_node(chance);
            stage.nodes[node].signal("STOP").await?;
            // The lease is 3 s, the session 6 s, and the other one needs a moment to take over.
            Ok(Wound::of_node(stage.nodes[node].name(), node, seconds(chance, 9, 13)))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, wound: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async move { stage.nodes[wound.node].signal("CONT").await })
    }
}
