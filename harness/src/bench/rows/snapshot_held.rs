//! Accepted orders a second while somebody reads with an old snapshot, as a long report or a backup does.

use anyhow::Context;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Row, accept, accepted};
use crate::bench::measure::Measure;
use crate::bench::snapshot::Snapshot;
use crate::bench::stage::Stage;

pub struct SnapshotHeld;

impl Row for SnapshotHeld {
    fn name(&self) -> &'static str {
        "accepted-snapshot-held"
    }

    fn about(&self) -> &'static str {
        "as accepted-256, while another session holds a snapshot that was taken --snapshot-seconds before the end"
    }

    fn baseline(&self) -> Option<&'static str> {
        Some(accepted::AT_256.name)
    }

    fn round<'a>(&'a self, stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<Vec<Measure>>> {
        measure(stage).boxed()
    }
}

async fn measure(stage: &Stage) -> anyhow::Result<Vec<Measure>> {
    // Its own measurement, if it is the first to ask, is no part of the snapshot's age.
    stage.half_load().await?;
    let snapshot = Snapshot::take(&stage.database_url).await?;
    let lead = stage.snapshot_seconds.saturating_sub(stage.seconds);
    if lead > 0 {
        accept::unmeasured(stage, lead).await?;
    }
    // The baseline begins drained, too.
    stage.drain().await?;
    let mut measures = accepted::measure(accepted::AT_256.connections, stage).await?;
    let held = snapshot.release().await.context("accepted-snapshot-held")?;
    measures.push(Measure::new("snapshot held", "s", held.as_secs_f64()));
    Ok(measures)
}
