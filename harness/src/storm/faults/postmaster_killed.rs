//! kill -9 of the postmaster and all its children, as a power cut that keeps the page cache.

use futures::future::BoxFuture;

use super::{Fault, Wound, seconds};
use crate::load::Chance;
use crate::storm::stage::Stage;

pub struct PostmasterKilled;

impl Fault for PostmasterKilled {
    fn name(&self) -> &'static str {
        "postmaster killed"
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            stage.postgres.run("kill").await?;
            Ok(Wound::of("postgres", seconds(chance, 0, 3)))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { stage.postgres.run("start").await.map(drop) })
    }
}
