//! How long a caller waits while inventory works through what came in when it was stopped.

use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Row, accept, accept_running};
use crate::bench::measure::Measure;
use crate::bench::stage::Stage;

pub struct AcceptCatchingUp;

impl Row for AcceptCatchingUp {
    fn name(&self) -> &'static str {
        "accept-catching-up"
    }

    fn about(&self) -> &'static str {
        "latency of acceptance at half load, while inventory catches up with a window it was stopped for"
    }

    fn baseline(&self) -> Option<&'static str> {
        Some(accept_running::NAME)
    }

    fn round<'a>(&'a self, stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<Vec<Measure>>> {
        measure(stage).boxed()
    }
}

async fn measure(stage: &Stage) -> anyhow::Result<Vec<Measure>> {
    // If it is still to be measured, then with inventory running.
    stage.half_load().await?;
    let frozen = stage.service.freeze_inventory()?;
    accept::unmeasured(stage, stage.seconds).await?;
    let before = stage.counts().await?;
    drop(frozen);
    let began = Instant::now();
    let mut measures = accept::window(stage).await?;
    let after = stage.counts().await?;
    let decided = after.decided_by_inventory() - before.decided_by_inventory();
    measures.push(Measure::new("backlog at the start", "orders", before.backlog() as f64));
    measures.push(Measure::new("caught up", "events/s", decided as f64 / began.elapsed().as_secs_f64()));
    measures.extend(accept::leftovers(stage).await?);
    Ok(measures)
}
