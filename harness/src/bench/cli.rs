//! The command line of `bench`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;

use super::report::{Report, measured};
use super::row::{Figures, Row};
use super::rows;
use super::service::Service;
use crate::progress::Progress;

/// Measures ordo on the servers the environment names; `make bench` starts them fresh.
#[derive(Parser, Debug)]
#[command(
    name = "bench",
    version,
    after_help = "Example:\n  make bench ARGS='--rounds 5 --seconds 20 --only accept-64'"
)]
struct Args {
    /// Rounds; every round measures every row once, so that a machine that drifts burdens them alike.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: u64,
    /// Length of one measurement.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Only this row; several may be named.
    #[arg(long)]
    only: Vec<String>,
    /// Name the rows and end.
    #[arg(long)]
    list: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

pub async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    if args.list {
        rows::ALL.iter().for_each(|row| println!("{:<16} {}", row.name, row.about));
        return Ok(());
    }
    let rows = chosen(&args.only)?;
    let folder = Path::new("bench-results");
    std::fs::create_dir_all(folder).context("bench-results cannot be made here")?;
    let progress = Progress::on_stderr();
    let service = Service::start(folder.join("ordo.log"), &progress).await?;
    let length = Duration::from_secs(args.seconds);
    let mut results: Vec<(&Row, Vec<Figures>)> = rows.into_iter().map(|row| (row, Vec::new())).collect();
    // The first measurement finds cold caches and an unplanned database: it is not counted.
    progress.show("warming up");
    if let Some((row, _)) = results.first() {
        (row.measure)(&service, length.min(Duration::from_secs(5))).await?;
    }
    for round in 1..=args.rounds {
        for (row, figures) in &mut results {
            service.drained(&progress).await?;
            progress.show(&format!("round {round} of {}: {}", args.rounds, row.name));
            figures.push((row.measure)(&service, length).await?);
        }
    }
    service.stop().await;
    let at = crate::clock::now().format("%Y%m%dT%H%M%SZ").to_string();
    let report = Report {
        cores: std::thread::available_parallelism()?.get(),
        kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
        rounds: usize::try_from(args.rounds)?,
        seconds: args.seconds,
        rows: measured(&results),
        at: at.clone(),
    };
    drop(progress);
    let json = serde_json::to_string_pretty(&report)?;
    let file = folder.join(format!("{at}.json"));
    std::fs::write(&file, &json).with_context(|| format!("{} cannot be written", file.display()))?;
    if args.json {
        println!("{json}");
    } else {
        println!("{report}\nwritten to {}", file.display());
    }
    Ok(())
}

fn chosen(only: &[String]) -> anyhow::Result<Vec<&'static Row>> {
    if let Some(unknown) = only.iter().find(|name| rows::ALL.iter().all(|row| row.name != **name)) {
        bail!("there is no row {unknown}: --list names them");
    }
    Ok(rows::ALL.iter().filter(|row| only.is_empty() || only.iter().any(|name| name == row.name)).collect())
}
