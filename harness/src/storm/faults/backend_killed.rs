//! kill -9 of one server process of Postgres: it throws every session out and recovers, for memory may be damaged.

use std::time::Duration;

use futures::future::BoxFuture;

use super::{Fault, Wound};
use crate::load::Chance;
use crate::storm::server::signal;
use crate::storm::stage::Stage;

pub struct BackendKilled;

impl Fault for BackendKilled {
    fn name(&self) -> &'static str {
        "postgres backend killed"
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            let backend = stage.any_backend(chance).await?;
            signal(u32::try_from(backend)?, "KILL").await?;
            Ok(Wound::of(format!("backend {backend}"), Duration::ZERO))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        // It recovers by itself; this only waits for it.
        Box::pin(async { stage.postgres.run("start").await.map(drop) })
    }
}
