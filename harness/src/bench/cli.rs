//! `bench` on the command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use super::machine::Machine;
use super::picture;
use super::result::{BenchResult, Measured, fold};
use super::rows::{self, Row};
use super::service::{Servers, Service};
use super::stage::{Stage, Terms};
use crate::checker::Log;
use crate::load::Catalogue;
use crate::progress::Progress;
use crate::{clock, duration};

/// Measures ordo: migrates, serves all roles in three processes on free ports, and runs every row in interleaved rounds.
///
/// Figures of different runs do not compare, for the machine drifts; rows and rounds of one run do. The database should
/// be a fresh one: the bench fills it.
///
/// Exit code: 0 measured, 2 not measured.
#[derive(Parser, Debug)]
#[command(
    name = "bench",
    version,
    after_help = "Example:\n  make bench\n  bench --ordo target/release/ordo --only accepted-256 --rounds 5 --seconds 20 --json"
)]
struct Args {
    /// A database of the service's own, which this fills.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, required_unless_present = "list")]
    database_url: Option<String>,
    /// The same database as its owner sees it; without it, --database-url.
    #[arg(long, env = "ORDO_ADMIN_DATABASE_URL", hide_env_values = true)]
    admin_database_url: Option<String>,
    #[arg(long, env = "KAFKA_BROKERS", required_unless_present = "list")]
    brokers: Option<String>,
    /// The postmaster, to count Postgres' processor time.
    #[arg(long, env = "ORDO_BENCH_POSTGRES_PID")]
    postgres_pid: Option<u32>,
    /// The broker, to count Kafka's processor time.
    #[arg(long, env = "ORDO_BENCH_KAFKA_PID")]
    kafka_pid: Option<u32>,
    /// The program that is measured: a release build.
    #[arg(long, env = "ORDO_BENCH_ORDO", default_value = "target/release/ordo")]
    ordo: PathBuf,
    /// How often every row is measured.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long one measurement takes.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Traffic before the first round, not measured: the broker compiles its code meanwhile.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    warm_up: u64,
    /// Longest wait for orders under way, between two measurements.
    #[arg(long, default_value = "60s", value_parser = duration::parse)]
    drain: Duration,
    /// Age that the snapshot of accepted-snapshot-held has at the end of its measurement, at least.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    snapshot_seconds: u64,
    /// Orders that inventory works through in inventory-catching-up.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    backlog: u64,
    /// Pairs of phases of poisoned-stream, spread over the rounds: as many in each.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pairs: u16,
    /// Events of the log that the rows of rebuilds stand on: a database beside the named one, made when they are measured.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    past_events: u64,
    /// Size of the catalogue.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    products: u32,
    /// Only the row of this name; several may be named.
    #[arg(long)]
    only: Vec<String>,
    /// Print the rows' names and end.
    #[arg(long)]
    list: bool,
    /// Where results and the service's log go.
    #[arg(long, default_value = "bench-results")]
    results: PathBuf,
    /// Draw the rows of acceptance (accept-…) into this SVG file.
    #[arg(long)]
    picture: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub async fn main() -> ExitCode {
    let args = Args::parse();
    // Returning, and not dying of the signal, is what continues whoever is frozen and ends the service too.
    let ended = tokio::select! {
        ended = run(args) => ended,
        ended = signalled() => ended,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn signalled() -> anyhow::Result<()> {
    let listen = |kind| signal(kind).context("could not listen for signals: free some file handles");
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
        _ = hang_up.recv() => (),
    }
    bail!("stopped by a signal; nothing was written")
}

async fn run(args: Args) -> anyhow::Result<()> {
    let rows = chosen(&args.only)?;
    if args.list {
        rows.iter().for_each(|row| println!("{:<28}{}", row.name(), row.about()));
        return Ok(());
    }
    ensure!(
        args.picture.is_none() || rows.iter().any(|row| picture::shows(row.name())),
        "--picture shows rows of acceptance, and none is measured: add --only accept-running"
    );
    let at = clock::now().format("%Y%m%dT%H%M%SZ").to_string();
    std::fs::create_dir_all(&args.results)
        .with_context(|| format!("could not make {}: choose another --results", args.results.display()))?;
    let (stage, machine) = set_stage(&args, &args.results.join(format!("{at}-ordo"))).await?;
    let rows = measure(&rows, &stage, usize::from(args.rounds)).await?;
    stage.service.stop().await?;
    drop(stage.progress);

    let result = BenchResult { at, machine, rounds: usize::from(args.rounds), seconds: args.seconds, rows };
    let file = args.results.join(format!("{}.json", result.at));
    write(&file, &result)?;
    if let Some(picture) = &args.picture {
        write_picture(picture, &result)?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&result)?);
    } else {
        println!("{result}");
    }
    eprintln!("written to {}", file.display());
    Ok(())
}

fn chosen(only: &[String]) -> anyhow::Result<Vec<Box<dyn Row>>> {
    let all = rows::all();
    for name in only {
        let known = all.iter().any(|row| row.name() == name);
        ensure!(known, "there is no row {name:?}: --list names them");
    }
    Ok(all.into_iter().filter(|row| only.is_empty() || only.iter().any(|name| name == row.name())).collect())
}

async fn set_stage(args: &Args, service_logs: &Path) -> anyhow::Result<(Stage, Machine)> {
    let database_url = args.database_url.clone().context("no database: name it with --database-url")?;
    let brokers = args.brokers.clone().context("no brokers: name them with --brokers")?;
    let admin_database_url = args.admin_database_url.clone().unwrap_or_else(|| database_url.clone());
    let progress = Progress::on_stderr();
    progress.show("migrating, then waiting until the service is ready");
    let servers = Servers { database_url, admin_database_url, brokers };
    let service = Service::start(&args.ordo, &servers, service_logs).await?;
    let log = Log::connect(&servers.database_url).await?;
    let machine = Machine::look(&args.ordo, &log, args.kafka_pid).await?;
    progress.note(&format!("bench: {machine}"));
    let catalogue = Catalogue { products: args.products as usize, scarce: 0, marked: Vec::new() };
    let terms = Terms {
        servers,
        seconds: args.seconds,
        drain_within: args.drain,
        snapshot_seconds: args.snapshot_seconds,
        backlog: args.backlog,
        pairs: args.pairs.div_ceil(args.rounds),
        past_events: args.past_events,
        postgres_pid: args.postgres_pid,
        kafka_pid: args.kafka_pid,
    };
    let stage = Stage::set(service, log, catalogue, terms, progress).await?;
    if args.postgres_pid.is_none() || args.kafka_pid.is_none() {
        stage
            .progress
            .note("bench: --postgres-pid or --kafka-pid is missing, so that server's processor time is not counted");
    }
    stage.seed(&stage.service.main.url).await?;
    stage.progress.note(&format!("bench: warming up for {} s", args.warm_up));
    stage.place_orders(64, args.warm_up).await?;
    stage.drain().await?;
    Ok((stage, machine))
}

/// Rounds are interleaved, and every round begins with another row, so that drift and leftovers hit all alike.
async fn measure(rows: &[Box<dyn Row>], stage: &Stage, rounds: usize) -> anyhow::Result<Vec<super::result::RowResult>> {
    let mut measured: Vec<Measured> = rows
        .iter()
        .map(|row| Measured { name: row.name(), about: row.about(), baseline: row.baseline(), rounds: Vec::new() })
        .collect();
    for round in 0..rounds {
        for turn in 0..rows.len() {
            let index = (round + turn) % rows.len();
            let row = &rows[index];
            stage.drain().await?;
            let measures =
                row.round(stage).await.with_context(|| format!("row {}, round {}", row.name(), round + 1))?;
            if let Some(headline) = measures.first() {
                let (value, unit) = (headline.value, headline.unit);
                stage.progress.note(&format!(
                    "bench: round {} of {rounds}, {}: {value:.0} {unit}",
                    round + 1,
                    row.name()
                ));
            }
            measured[index].rounds.push(measures);
        }
    }
    Ok(fold(measured))
}

fn write(file: &Path, result: &BenchResult) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(result)?;
    std::fs::write(file, json + "\n").with_context(|| format!("could not write {}: free some space", file.display()))
}

fn write_picture(file: &Path, result: &BenchResult) -> anyhow::Result<()> {
    let svg = picture::of(result)?;
    std::fs::write(file, svg).with_context(|| format!("could not write {}: name another --picture", file.display()))?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_row_is_refused_and_a_known_one_runs_alone() -> anyhow::Result<()> {
        assert!(chosen(&["accepted-65".into()]).is_err());
        let chosen = chosen(&["accepted-256".into()])?;
        assert_eq!(chosen.iter().map(|row| row.name()).collect::<Vec<_>>(), ["accepted-256"]);
        Ok(())
    }
}
