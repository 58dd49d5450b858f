//! `nemesis` on the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use super::course::Storm;
use super::defects::{self, Defect};
use super::faults;
use super::forms::{FIXED_SEED, Form};
use super::report::Report;
use super::scenarios::{self, Scenario, Size};
use super::server::Server;
use super::setup::{Addresses, Ground};
use super::table;
use crate::clock;
use crate::progress::Progress;

/// Breaks a running ordo in every way it knows, mends it, and has the checker judge what is left.
///
/// Starts ordo itself, on a database and topics of its own, with the servers of a private set, which it stops, kills and
/// starts as it likes. The seed decides which faults come when and whom they hit; the machine's timing is not in it.
///
/// Exit code: 0 all promises hold (or every planted defect was caught), 1 some do not, 2 there was no storm.
#[derive(Parser, Debug)]
#[command(
    name = "nemesis",
    version,
    after_help = "Example:\n  make storm\n  make storm SEED=7 SCENARIO=orders\n  \
nemesis --set .local/storm --ordo target/debug/ordo --short"
)]
struct Args {
    /// Directory of a private set of servers, started, that may be stopped, killed and emptied.
    #[arg(long, required_unless_present = "list")]
    set: Option<PathBuf>,
    /// The scripts that handle it.
    #[arg(long, default_value = "scripts/services")]
    scripts: PathBuf,
    /// The program that is tormented: a build with crash points.
    #[arg(long, default_value = "target/debug/ordo")]
    ordo: PathBuf,
    /// Decides everything that is left to chance; another one every time if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// The scenario of this name; all of them, one after the other, if none is named.
    #[arg(long)]
    scenario: Option<String>,
    /// How long faults come, per scenario.
    #[arg(long, default_value_t = 20.0, value_parser = minutes)]
    minutes: f64,
    /// How many ordo processes, all with the same roles.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    processes: u8,
    /// Only the fault of this name; several may be named.
    #[arg(long)]
    only: Vec<String>,
    /// A handful of faults on one process with a fixed seed, within a minute.
    #[arg(long, conflicts_with_all = ["minutes", "processes", "only", "defect"])]
    short: bool,
    /// Start ordo with this defect, which has to be caught; `all` for each of them.
    #[arg(long, conflicts_with_all = ["minutes", "processes", "only"])]
    defect: Option<String>,
    /// Where logs, histories and the report go.
    #[arg(long, default_value = ".local/storm-results")]
    results: PathBuf,
    /// A document that shows the last storm between two marks.
    #[arg(long)]
    report: Option<PathBuf>,
    /// The command that makes the same storm again, as people should type it; without it, this one with its seed.
    #[arg(long)]
    again: Option<String>,
    /// Print the names of faults, scenarios and defects, and end.
    #[arg(long)]
    list: bool,
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(minutes) if (0.1..=1_440.0).contains(&minutes) => Ok(minutes),
        _ => Err("write a number of minutes from 0.1 to 1440".into()),
    }
}

/// How a storm ended that took place.
enum Ended {
    Held,
    Broken,
}

pub async fn main() -> ExitCode {
    let args = Args::parse();
    if args.list {
        list();
        return ExitCode::SUCCESS;
    }
    let seed = args.seed.unwrap_or_else(|| if args.short { FIXED_SEED } else { fresh_seed() });
    let again = args.again.clone().unwrap_or_else(|| this_command(seed));
    let once_more = format!("seed {seed}; the same storm again: {again}");
    eprintln!("storm: {once_more}");
    let ended = tokio::select! {
        ended = run(&args, seed) => ended,
        interrupted = interrupted() => {
            // Dropping the storm has killed its programs; the servers are the set's.
            if let Err(error) = interrupted.and(stop_servers(&args).await) {
                eprintln!("nemesis: {error:#}");
            }
            eprintln!("storm: interrupted, its servers are stopped; {once_more}");
            return ExitCode::from(130);
        }
    };
    match ended {
        Ok(Ended::Held) => ExitCode::SUCCESS,
        Ok(Ended::Broken) => {
            eprintln!("storm: {once_more}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("nemesis: {error:#}");
            eprintln!("storm: {once_more}");
            ExitCode::from(2)
        }
    }
}

fn list() {
    println!("faults");
    faults::all().iter().for_each(|fault| println!("  {:<34}{:?}", fault.name(), fault.needs()));
    println!("scenarios");
    scenarios::ALL.iter().for_each(|scenario| println!("  {}", scenario.name()));
    println!("defects");
    defects::ALL.iter().for_each(|defect| println!("  {}", defect.name));
}

fn fresh_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0 % 1_000_000
}

fn this_command(seed: u64) -> String {
    let given: Vec<String> = std::env::args().collect();
    let names_seed = given.iter().any(|word| word.starts_with("--seed"));
    given.join(" ") + &if names_seed { String::new() } else { format!(" --seed {seed}") }
}

async fn interrupted() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("could not listen for Ctrl-C"),
    }
}

async fn stop_servers(args: &Args) -> anyhow::Result<()> {
    let set = args.set.as_deref().context("no set")?;
    for name in ["kafka", "postgres"] {
        Server::of(name, &args.scripts, set).run("stop").await?;
    }
    Ok(())
}

async fn run(args: &Args, seed: u64) -> anyhow::Result<Ended> {
    let at = clock::now().format("%Y%m%dT%H%M%SZ");
    let results = args.results.join(format!("{at}-{seed}"));
    std::fs::create_dir_all(&results)
        .with_context(|| format!("could not make {}: choose another --results", results.display()))?;
    let programs = std::env::current_exe()?.parent().map(PathBuf::from).context("this program lies nowhere")?;
    let set = args.set.clone().context("no set of servers: name it with --set")?;
    let ground = Ground { ordo: args.ordo.clone(), programs, scripts: args.scripts.clone(), set, results };
    let addresses = Addresses::of(&ground).await?;
    eprintln!("storm: logs and histories go to {}", ground.results.display());
    match &args.defect {
        Some(name) => defects(name, &ground, &addresses, seed).await,
        None => scenarios(args, &ground, &addresses, seed).await,
    }
}

async fn scenarios(args: &Args, ground: &Ground, addresses: &Addresses, seed: u64) -> anyhow::Result<Ended> {
    let chosen: Vec<&dyn Scenario> = scenarios::ALL
        .iter()
        .copied()
        .filter(|scenario| args.scenario.as_ref().is_none_or(|name| name == scenario.name()))
        .collect();
    ensure!(!chosen.is_empty(), "there is no scenario {:?}: --list names them", args.scenario);
    let mut ended = Ended::Held;
    for scenario in chosen {
        let form = scenario.form(&Size {
            is_short: args.short,
            minutes: args.minutes,
            processes: usize::from(args.processes),
            has_kafka_proxy: addresses.kafka_proxy.is_some(),
            only: &args.only,
        })?;
        let least = form.least;
        let report = storm(ground, addresses, scenario, form, seed).await?;
        let table = table::of(&report);
        println!("{table}");
        if let Some(lack) = report.lacks(least).filter(|_| report.holds()) {
            bail!("{lack}: give the storm more minutes, or the machine more rest");
        }
        if let Some(document) = &args.report {
            table::put_into(document, scenario.name(), &table)?;
        }
        if !report.holds() {
            ended = Ended::Broken;
        }
    }
    Ok(ended)
}

async fn storm(
    ground: &Ground,
    addresses: &Addresses,
    scenario: &dyn Scenario,
    form: Form,
    seed: u64,
) -> anyhow::Result<Report> {
    let ground = Ground { results: ground.results.join(form.defect.unwrap_or(scenario.name())), ..ground.clone() };
    std::fs::create_dir_all(&ground.results)?;
    let progress = Progress::on_stderr();
    let report = Storm { ground: &ground, addresses, scenario, form, seed }.run(&progress).await?;
    let file = ground.results.join("report.json");
    std::fs::write(&file, serde_json::to_string_pretty(&report)? + "\n")
        .with_context(|| format!("could not write {}: free some space", file.display()))?;
    progress.note(&format!("storm: written to {}", file.display()));
    Ok(report)
}

/// Each chosen defect on its own; all have to be caught.
async fn defects(name: &str, ground: &Ground, addresses: &Addresses, seed: u64) -> anyhow::Result<Ended> {
    let chosen: Vec<&Defect> = defects::ALL.iter().filter(|defect| name == "all" || name == defect.name).collect();
    ensure!(!chosen.is_empty(), "there is no defect {name:?}: --list names them");
    let scenario = *scenarios::ALL.first().context("there is no scenario")?;
    let (mut lines, mut ended) = (Vec::new(), Ended::Held);
    for defect in chosen {
        eprintln!("storm: ordo with the defect {}", defect.name);
        let report = storm(ground, addresses, scenario, defect.form(), seed).await?;
        let caught = defect.caught_by(&report);
        if caught.is_none() {
            ended = Ended::Broken;
        }
        let promise = report.broken().find(|verdict| Some(verdict.rule.as_str()) == caught);
        let promise = promise.map_or("", |verdict| verdict.promise.as_str());
        lines.push(format!("| {} | {promise} | {} |", defect.name, caught.unwrap_or("**NOT CAUGHT**")));
    }
    println!("| defect | promise | rule that gave it away |\n|---|---|---|\n{}", lines.join("\n"));
    Ok(ended)
}
