//! How long a rebuild takes with the machine to itself, against a COPY of the events it reads: one pair a round.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Context;
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};
use sqlx::postgres::PgPoolCopyExt;

use super::Row;
use crate::bench::measure::Measure;
use crate::bench::past::Past;
use crate::bench::rebuild::{self, MODEL, Rebuilt, STREAMS};
use crate::bench::stage::{Cpu, Stage};

/// Views that follow the log.
const FOLLOWERS: i64 = 4;
/// What a fold reads of each event; the prefix's successor follows ':' by one.
const COPY: &str = "COPY (SELECT position, stream_id, version, event_type, recorded_at, payload FROM log \
     WHERE stream_id >= 'order:' AND stream_id < 'order;') TO STDOUT";

#[derive(Default)]
pub struct RebuildAlone {
    /// Of all rounds, for the order within a pair.
    pairs: AtomicUsize,
}

impl Row for RebuildAlone {
    fn name(&self) -> &'static str {
        "rebuild-alone"
    }

    fn about(&self) -> &'static str {
        "order_view made anew from --past-events events at full rate, in turns with COPY ... TO of the events it reads"
    }

    fn round<'a>(&'a self, stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<Vec<Measure>>> {
        let pair = self.pairs.fetch_add(1, Ordering::Relaxed);
        measure(pair, stage).boxed()
    }
}

async fn measure(pair: usize, stage: &Stage) -> anyhow::Result<Vec<Measure>> {
    let past = stage.past().await?;
    let process = past.serve("views").await?;
    past.at_rest(FOLLOWERS, &stage.progress).await?;
    // At rest, so they hold no lock; and the machine is left to what is measured.
    let frozen =
        [stage.service.notification.freeze()?, stage.service.main.freeze()?, stage.service.freeze_inventory()?];
    let cores = std::thread::available_parallelism().context("could not count the cores: is /proc mounted?")?.get();
    // Each is at work either in ordo or in Postgres.
    let workers = 3 * cores;
    stage.progress.show(&format!("{MODEL} is rebuilt"));
    let cpu = || stage.cpu_with(&[process.pid]);
    let (copied, before, rebuilt, after) = if pair.is_multiple_of(2) {
        let copied = copy(past).await?;
        (copied, cpu()?, rebuild::rebuild(&process, past, workers, 0).await?, cpu()?)
    } else {
        let (before, rebuilt, after) = (cpu()?, rebuild::rebuild(&process, past, workers, 0).await?, cpu()?);
        (copy(past).await?, before, rebuilt, after)
    };
    drop(frozen);
    let mut measures = measures(&rebuilt, copied, (before, after));
    measures.push(Measure::new("memory at most (bound: 512)", "MiB", rebuild::peak_memory(process.pid)?));
    process.stop().await?;
    Ok(measures)
}

/// Events and seconds.
#[derive(Clone, Copy)]
struct Copied {
    events: f64,
    seconds: f64,
}

async fn copy(past: &Past) -> anyhow::Result<Copied> {
    debug_assert!(COPY.contains(STREAMS));
    let began = Instant::now();
    let stream = past.db.copy_out_raw(COPY).await.context("could not copy the events out")?;
    let events = stream.try_fold(0_usize, |lines, bytes| async move {
        Ok(lines + bytes.iter().filter(|byte| **byte == b'\n').count())
    });
    let events = events.await.context("the copy broke off")? as f64;
    Ok(Copied { events, seconds: began.elapsed().as_secs_f64() })
}

fn measures(rebuilt: &Rebuilt, copied: Copied, (before, after): (Cpu, Cpu)) -> Vec<Measure> {
    let (seconds, events) = (rebuilt.until_attached(), copied.events);
    let mut measures = vec![
        Measure::new("rebuild / COPY (floor: 3, aim: 1.5)", "×", seconds / copied.seconds),
        Measure::new("rebuilt", "events/s", events / seconds),
        Measure::new("copied", "events/s", events / copied.seconds),
        Measure::new("events of the model", "events", events),
    ];
    for (name, phase) in [
        ("of it: dividing the log", "prepare"),
        ("of it: folding into the table", "bulk"),
        ("of it: indexes", "index"),
        ("of it: catching up, attaching", "catch up"),
    ] {
        measures.push(Measure::new(name, "s", rebuilt.seconds(phase)));
    }
    measures.push(Measure::new("comparing, afterwards", "s", rebuilt.seconds("verify")));
    measures.push(Measure::new("CPU of ordo", "us/event", (after.ordo - before.ordo) * 1_000.0 / events));
    if let Some((before, after)) = before.postgres.zip(after.postgres) {
        measures.push(Measure::new("CPU of Postgres", "us/event", (after - before) * 1_000.0 / events));
    }
    measures.push(Measure::new("oldest transaction (bound: 5)", "s", rebuilt.oldest_transaction));
    measures
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_ratio_is_of_what_makes_the_table_and_the_copy() {
        let phase = |name: &str, seconds| (name.to_owned(), Duration::from_secs(seconds));
        let rebuilt =
            Rebuilt { phases: vec![phase("bulk", 5), phase("index", 1), phase("verify", 9)], ..Rebuilt::default() };
        let cpu = |ordo| Cpu { ordo, postgres: Some(ordo), kafka: None, load: 0.0 };
        let measures = measures(&rebuilt, Copied { events: 1_000.0, seconds: 4.0 }, (cpu(0.0), cpu(50.0)));
        let value = |name| measures.iter().find(|measure| measure.name == name).map(|measure| measure.value);
        assert_eq!(measures[0].value, 1.5);
        assert_eq!(value("comparing, afterwards"), Some(9.0));
        assert_eq!(value("CPU of Postgres"), Some(50.0));
    }
}
