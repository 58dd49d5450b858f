//! What callers notice of a rebuild at its default rate: accepted orders a second with it and without.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::Row;
use crate::bench::measure::Measure;
use crate::bench::past::Past;
use crate::bench::process::Process;
use crate::bench::rebuild::{self, Rebuilt};
use crate::bench::stage::Stage;
use crate::load::{Pace, Summary, Until};

/// Views that follow the log, and the relay.
const FOLLOWERS: i64 = 5;
const ALL_ROLES: &str = "http,relay,inventory,orders,notification,analytics,views";
const CONNECTIONS: usize = 64;
/// What `projections rebuild` does unless told otherwise.
const WORKERS: usize = 2;
const RATE: u32 = 20_000;

pub struct RebuildUnderLoad;

impl Row for RebuildUnderLoad {
    fn name(&self) -> &'static str {
        "rebuild-under-load"
    }

    fn about(&self) -> &'static str {
        "accepted orders, 64 connections, one process with every role, while order_view is made anew at the default rate"
    }

    fn round<'a>(&'a self, stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<Vec<Measure>>> {
        measure(stage).boxed()
    }
}

async fn measure(stage: &Stage) -> anyhow::Result<Vec<Measure>> {
    let past = stage.past().await?;
    let process = past.serve(ALL_ROLES).await?;
    let frozen =
        [stage.service.notification.freeze()?, stage.service.main.freeze()?, stage.service.freeze_inventory()?];
    past.at_rest(FOLLOWERS, &stage.progress).await?;
    stage.seed(&process.url).await?;
    load(stage, &process, 2).await?;
    past.at_rest(FOLLOWERS, &stage.progress).await?;
    let without = load(stage, &process, stage.seconds).await?;
    past.at_rest(FOLLOWERS, &stage.progress).await?;
    let (rebuilt, seen) = rebuild_under(stage, &process, past).await?;
    drop(frozen);
    let rate = seen.accepted / seen.seconds;
    let mut measures = vec![
        Measure::new("accepted with it / without (floor: 0.7)", "×", rate / without.orders_per_second),
        Measure::new("accepted with it", "orders/s", rate),
        Measure::new("accepted without", "orders/s", without.orders_per_second),
        Measure::new("p99 with it", "ms", seen.slowest),
        Measure::new("p99 without", "ms", without.p99_ms),
        Measure::new("rebuilt and compared after", "s", rebuilt.until_ready()),
        Measure::new("of it: folding into the table", "s", rebuilt.seconds("bulk")),
        Measure::new("of it: indexes", "s", rebuilt.seconds("index")),
        Measure::new("of it: catching up, attaching", "s", rebuilt.seconds("catch up")),
        Measure::new("of it: comparing", "s", rebuilt.seconds("verify")),
        Measure::new("measured for", "s", seen.seconds),
        Measure::new("oldest transaction (bound: 5)", "s", rebuilt.oldest_transaction),
    ];
    measures.push(Measure::new("memory at most (bound: 512)", "MiB", rebuild::peak_memory(process.pid)?));
    if let Some(why) = rebuilt.held {
        stage.progress.note(&format!("bench: the rebuild has waited by itself: {why}"));
    }
    past.at_rest(FOLLOWERS, &stage.progress).await?;
    process.stop().await?;
    Ok(measures)
}

/// What callers saw of a rebuild.
#[derive(Default)]
struct Seen {
    accepted: f64,
    seconds: f64,
    /// The worst 99th percentile of a window.
    slowest: f64,
}

async fn rebuild_under(stage: &Stage, process: &Process, past: &Past) -> anyhow::Result<(Rebuilt, Seen)> {
    let is_ready = AtomicBool::new(false);
    let rebuilding = async {
        let rebuilt = rebuild::rebuild(process, past, WORKERS, RATE).await;
        is_ready.store(true, Ordering::Release);
        rebuilt
    };
    tokio::try_join!(rebuilding, load_until(&is_ready, stage, process))
}

/// The window in which it becomes so counts: it is what callers saw.
async fn load_until(is_ready: &AtomicBool, stage: &Stage, process: &Process) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    while !is_ready.load(Ordering::Acquire) {
        let summary = load(stage, process, stage.seconds).await?;
        seen.accepted += summary.accepted as f64;
        seen.seconds += summary.seconds;
        seen.slowest = seen.slowest.max(summary.p99_ms);
    }
    Ok(seen)
}

async fn load(stage: &Stage, process: &Process, seconds: u64) -> anyhow::Result<Summary> {
    let until = Until::Elapsed(Duration::from_secs(seconds));
    let summary = stage.traffic(&process.url, Pace::Closed, CONNECTIONS, until).await?;
    ensure!(summary.accepted > 0, "no order was accepted; see the service's log:\n{summary}");
    Ok(summary)
}
