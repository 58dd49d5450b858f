//! `ordo log verify`.

use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::output;
use crate::app::{self, TopicReport};
use crate::config::Config;
use crate::event_store::verify::{self, Step};
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
    #[command(after_help = "Example: ordo log verify --topics --json")]
    Verify {
        /// Compare every topic with the log, too: all that the relay has published is there, in order, and nothing else.
        #[arg(long)]
        topics: bool,
    },
}

/// What was found, as JSON.
#[derive(Serialize)]
struct Verified {
    #[serde(flatten)]
    log: verify::Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    topics: Option<Vec<TopicReport>>,
}

pub(super) async fn run(config: &Config, args: Args, json: bool) -> anyhow::Result<ExitCode> {
    let Verb::Verify { topics } = args.verb;
    let db = postgres::pool(&config.postgres)?;
    let log = verify_log(&db).await?;
    let topics = if topics { Some(verify_topics(&db, config).await?) } else { None };
    let verified = Verified { log, topics };
    if json {
        output::json(&verified)?;
    } else {
        print(&verified);
    }
    let are_clean = verified.topics.iter().flatten().all(TopicReport::is_clean);
    Ok(if verified.log.violations == 0 && are_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn verify_log(db: &sqlx::PgPool) -> anyhow::Result<verify::Report> {
    let events: i64 = event_store::heads(db).await?.iter().map(|(_, head)| head).sum();
    let progress = ProgressBar::new(u64::try_from(events).unwrap_or(0));
    progress.set_style(ProgressStyle::with_template("{bar:30} {pos} of {len} events, {per_sec}, {eta} left")?);
    let streams = spinner("{spinner} {pos} streams, {per_sec}")?;
    let report = verify::verify(db, |step| match step {
        Step::Events(read) => progress.set_position(read),
        Step::Streams(read) => {
            progress.finish_and_clear();
            streams.set_position(read);
        }
    })
    .await?;
    progress.finish_and_clear();
    streams.finish_and_clear();
    Ok(report)
}

async fn verify_topics(db: &sqlx::PgPool, config: &Config) -> anyhow::Result<Vec<TopicReport>> {
    let progress = spinner("{spinner} {pos} records compared, {per_sec}")?;
    let reports = app::verify_topics(db, config, |records| progress.inc(records)).await?;
    progress.finish_and_clear();
    Ok(reports)
}

/// Drawn on a terminal only.
fn spinner(template: &str) -> anyhow::Result<ProgressBar> {
    let spinner = ProgressBar::new_spinner();
    spinner.set_style(ProgressStyle::with_template(template)?);
    spinner.enable_steady_tick(Duration::from_millis(200));
    Ok(spinner)
}

fn print(verified: &Verified) {
    let log = &verified.log;
    log.examples.iter().for_each(|example| output::line(example));
    output::line(&format!("{} events of {} streams read, {} violations", log.events, log.streams, log.violations));
    let Some(topics) = &verified.topics else { return };
    let row = |partitions: &[TopicReport]| {
        let sum = |of: fn(&TopicReport) -> u64| partitions.iter().map(of).sum::<u64>().to_string();
        [
            partitions[0].topic.clone(),
            sum(|report| report.events),
            sum(|report| report.records),
            sum(|report| report.missing),
            sum(|report| report.out_of_order),
            sum(|report| report.foreign),
            sum(|report| report.repeated),
        ]
    };
    let heading = ["topic", "events", "records", "missing", "out of order", "foreign", "repeated"];
    output::table(heading, topics.chunk_by(|one, next| one.topic == next.topic).map(row));
    for topic in topics {
        if let Some(first) = &topic.first {
            output::line(&format!(
                "{} partition {}: {}. Next: {}",
                topic.topic, topic.partition, first.what, first.next
            ));
        }
    }
}
