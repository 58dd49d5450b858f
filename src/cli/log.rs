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
    let row = |topic: &TopicReport| {
        let counts = [topic.events, topic.records, topic.missing, topic.out_of_order, topic.foreign, topic.repeated];
        let [events, records, missing, out_of_order, foreign, repeated] = counts.map(|count| count.to_string());
        let place = format!("{}/{}", topic.topic, topic.partition);
        [place, events, records, missing, out_of_order, foreign, repeated]
    };
    let heading = ["topic/partition", "events", "records", "missing", "out of order", "foreign", "repeated"];
    output::table(heading, topics.iter().map(row));
    for topic in topics {
        if let Some(first) = &topic.first {
            output::line(&format!("{}/{}: {}. Next: {}", topic.topic, topic.partition, first.what, first.next));
        }
    }
}
