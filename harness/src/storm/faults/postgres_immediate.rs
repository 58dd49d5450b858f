//! An immediate stop of Postgres: nothing is written, nobody is asked; the next start recovers from its log.

use futures::future::BoxFuture;

use super::{Fault, Wound, seconds};
use crate::load::Chance;
use crate::storm::stage::Stage;

pub struct PostgresImmediate;

impl Fault for PostgresImmediate {
    fn name(&self) -> &'static str {
        "postgres stopped at once"
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            stage.postgres.stop_immediately().await?;
            Ok(Wound::of("postgres", seconds(chance, 0, 3)))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { stage.postgres.run("start").await.map(drop) })
    }
}
