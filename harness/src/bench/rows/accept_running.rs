//! How long a caller waits while everything runs: what the other rows of acceptance are compared with.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Row, accept};
use crate::bench::measure::Measure;
use crate::bench::stage::Stage;

pub const NAME: &str = "accept-running";

pub struct AcceptRunning;

impl Row for AcceptRunning {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "latency of acceptance at half load, everything runs"
    }

    fn round<'a>(&'a self, stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<Vec<Measure>>> {
        async move {
            accept::unmeasured(stage, accept::LEAD_IN_SECONDS).await?;
            let mut measures = accept::window(stage).await?;
            measures.extend(accept::leftovers(stage).await?);
            Ok(measures)
        }
        .boxed()
    }
}
