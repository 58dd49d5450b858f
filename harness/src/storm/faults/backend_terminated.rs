//! `pg_terminate_backend` of one of ordo's sessions, as an administrator does.

use std::time::Duration;

use anyhow::Context;
use futures::future::BoxFuture;

use super::{Fault, Wound};
use crate::load::Chance;
use crate::storm::stage::Stage;

pub struct BackendTerminated;

impl Fault for BackendTerminated {
    fn name(&self) -> &'static str {
        "postgres session ended"
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            let backend = stage.any_backend(chance).await?;
            sqlx::query("SELECT pg_terminate_backend($1)")
                .bind(backend)
                .execute(&stage.db)
                .await
                .context("a session could not be ended: the role needs pg_signal_backend")?;
            Ok(Wound::of(format!("session {backend}"), Duration::ZERO))
        })
    }

    fn heal<'a>(&'a self, _: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
