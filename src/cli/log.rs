//! `ordo log verify`.

use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::output;
use crate::config::Config;
use crate::{event_store, postgres};

/// What to do with the log.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Read the whole log and compare it with its promises: exit code 0 if they hold.
    #[command(after_help = "Example: ordo log verify --json")]
    Verify,
}

pub(super) async fn run(config: &Config, args: Args, json: bool) -> anyhow::Result<ExitCode> {
    let Verb::Verify = args.verb;
    let db = postgres::pool(&config.postgres)?;
    let progress = ProgressBar::new_spinner();
    progress.set_style(ProgressStyle::with_template("{spinner} {pos} events read, {per_sec}")?);
    progress.enable_steady_tick(Duration::from_millis(200));
    let report = event_store::verify::verify(&db, |events| progress.set_position(events)).await?;
    progress.finish_and_clear();
    if json {
        output::json(&report)?;
    } else {
        report.examples.iter().for_each(|example| output::line(example));
        let (events, streams, violations) = (report.events, report.streams, report.violations);
        output::line(&format!("{events} events of {streams} streams read, {violations} violations"));
    }
    Ok(if report.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
