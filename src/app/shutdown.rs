//! The stopping order, and what was drained.

use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal as on};

use super::resources::Resources;
use crate::actors::relay::RELAY;
use crate::actors::supervisor::Root;
use crate::event_store;
use crate::subscription::checkpoint::{self, LOG};
use crate::telemetry;

/// Longest wait for one actor: it is to finish the transaction it is in, no more.
const CHILD_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits for SIGTERM or SIGINT.
pub(super) async fn signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (on(SignalKind::terminate()), on(SignalKind::interrupt())) else {
        tracing::error!("signals cannot be heard; this process ends only by SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Stops the tree in order; a second signal forces.
pub(super) async fn stop(root: &Root, resources: &Resources) {
    let began = Instant::now();
    tracing::info!("stopping: REST, consumers, aggregates, writers, relay; a second signal forces");
    tokio::select! {
        () = root.handle().shut_down(CHILD_TIMEOUT) => {
            tracing::info!(took = ?began.elapsed(), drained = drained(resources).await, "stopped");
        }
        () = signal() => {
            tracing::warn!("stopped by force; what was accepted is durable and goes on at the next start");
            std::process::exit(130);
        }
    }
}

/// What is left for the next start.
async fn drained(resources: &Resources) -> String {
    let (heads, places) = tokio::join!(event_store::heads(&resources.db), checkpoint::all(&resources.db));
    let (Ok(heads), Ok(places)) = (heads, places) else {
        return "Postgres does not say".to_owned();
    };
    let behind = |subscription: &str| -> i64 {
        heads
            .iter()
            .map(|(partition, head)| {
                let place = places.iter().find(|place| {
                    place.subscription == subscription && place.source == LOG && place.partition == *partition
                });
                head - place.map_or(0, |place| place.position)
            })
            .sum()
    };
    match behind(RELAY) {
        0 => "everything accepted is on Kafka".to_owned(),
        left => format!("{left} events are still to be published"),
    }
}

/// Supervision's last facts, and the last spans.
pub(super) async fn last_words(resources: &Resources) {
    if let Err(error) = resources.history.flush(&resources.db).await {
        tracing::debug!(%error, "the last supervision facts were not stored");
    }
    // It blocks for a second at most; a panic there takes nothing with it.
    _ = tokio::task::spawn_blocking(telemetry::trace::shut_down).await;
}
