//! `checker` on the command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Parser;

use super::checks::letters::{GivesUp, Letters};
use super::checks::{self, LogCheck};
use super::finding::Finding;
use super::history_index::HistoryIndex;
use super::kafka::Topics;
use super::letters::Discarded;
use super::log::Log;
use super::report::Report;
use super::settle::{Rest, wait_for_rest};
use super::topic_audit::{Expected, TopicAudit, TopicFindings};
use crate::progress::Progress;
use crate::wire::stream::{EVENT_TOPICS, topic_index};
use crate::{duration, history};

pub const AT_REST: &str = "the system came to rest: all decided, all told, all published";
pub const NO_DEAD_LETTERS: &str = "there is no dead letter";
pub const KAFKA_KEPT: &str = "no topic ever lacked what was said to be published";
pub const NOTHING_WAITS: &str = "no stream is set aside";

/// Checks a settled ordo from outside: Postgres, Kafka and what a load was answered.
///
/// Waits until the system is at rest, reads the log and the topics once, and judges every invariant by name.
///
/// Exit code: 0 all hold, 1 some do not, 2 it could not be checked.
#[derive(Parser, Debug)]
#[command(
    name = "checker",
    version,
    after_help = "Example:\n  . .local/env && checker /tmp/history.jsonl\n  \
checker --database-url postgres://ordo@127.0.0.1/ordo --brokers 127.0.0.1:9092 --settle 60s --json"
)]
struct Args {
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    #[arg(long, env = "KAFKA_BROKERS")]
    brokers: String,
    /// In front of every topic's name.
    #[arg(long, default_value = "")]
    topic_prefix: String,
    /// Files that `load` wrote.
    #[arg(value_name = "HISTORY")]
    histories: Vec<PathBuf>,
    /// Longest wait for the system to come to rest.
    #[arg(long, default_value = "30s", value_parser = duration::parse)]
    settle: Duration,
    /// How long the log must stay as it is to count as at rest.
    #[arg(long, default_value = "1500ms", value_parser = duration::parse)]
    still: Duration,
    /// A type that has a topic of its own name too, to be checked for completeness; several may be named.
    #[arg(long)]
    mirrored: Vec<String>,
    /// Dead letters are no violation.
    #[arg(long)]
    allow_dead_letters: bool,
    /// This consumer was made to give up on the orders of this user: each must have one dead letter, and nothing else. What
    /// an operator has discarded is not missed; in the end no letter is open. Several may be named.
    #[arg(long, value_name = "CONSUMER=USER", conflicts_with = "allow_dead_letters")]
    gives_up: Vec<GivesUp>,
    /// Kafka has lost nothing: where a topic lacked an event once, a place had moved past what was never acknowledged,
    /// although it was published again since.
    #[arg(long)]
    kafka_kept: bool,
    /// Records that the log does not know are no violation.
    #[arg(long)]
    allow_foreign_records: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

pub async fn main() -> ExitCode {
    let args = Args::parse();
    let json = args.json;
    match run(args).await {
        Ok(report) => {
            if json {
                println!("{}", serde_json::json!(report));
            } else {
                println!("{report}");
            }
            if report.holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("checker: could not check: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(args: Args) -> anyhow::Result<Report> {
    let began = Instant::now();
    let progress = Progress::on_stderr();
    let mut history = HistoryIndex::default();
    let mut cut_lines = 0;
    for path in &args.histories {
        progress.show(&format!("reading {}", path.display()));
        cut_lines += history::read(path, |attempt| history.add(attempt))?;
    }
    let attempts = history.attempts;
    let log = Log::connect(&args.database_url).await?;
    let topics = Topics::connect(&args.brokers, &args.topic_prefix)?;

    let letters = log.letters().await?;
    let discarded = Discarded::of(&letters);
    let excused = discarded.excused(&log).await?;
    let mut at_rest = Finding::of(AT_REST);
    let heads = match wait_for_rest(&log, &topics, args.still, args.settle, excused, &progress).await? {
        Rest::At { heads } => {
            at_rest.check(true, String::new);
            heads
        }
        Rest::Stuck { heads, awaited } => {
            at_rest.check(false, || format!("still waiting for {awaited} after {:?}", args.settle));
            heads
        }
        Rest::Moving => bail!("the log still grows after {:?}: stop the load, or give --settle more time", args.settle),
    };

    let mut checks = checks::all(u32::try_from(heads.len())?, history, log.stock().await?, &discarded);
    let must_give_up = !args.gives_up.is_empty();
    if must_give_up {
        checks.push(Box::new(Letters::of(args.gives_up, log.letters().await?)));
    }
    let mut findings = vec![at_rest];
    let mut audit =
        Audit { log: &log, topics: &topics, mirrored: &args.mirrored, checks, found: TopicFindings::default() };
    audit.topics_exist(heads.len())?;
    for (partition, head) in heads.iter().enumerate() {
        audit.partition(i16::try_from(partition)?, *head, heads.len(), &progress).await?;
    }
    if log.heads().await? != heads {
        bail!("the log grew while it was checked: stop whatever writes to it and check again");
    }
    let duplicates = audit.found.duplicates;
    findings.extend(audit.checks.into_iter().flat_map(LogCheck::findings));
    findings.extend(audit.found.all(args.allow_foreign_records));
    if args.kafka_kept {
        findings.push(kafka_kept(&log).await?);
    }
    if !args.allow_dead_letters {
        findings.push(nothing_waits(&log).await?);
    }
    if !args.allow_dead_letters && !must_give_up {
        findings.push(dead_letters(&log).await?);
    }
    Ok(Report {
        holds: findings.iter().all(Finding::holds),
        partitions: heads.len(),
        events: heads.iter().sum(),
        attempts,
        cut_lines,
        duplicates,
        seconds: began.elapsed().as_secs_f64(),
        findings,
    })
}

async fn dead_letters(log: &Log) -> anyhow::Result<Finding> {
    let mut finding = Finding::of(NO_DEAD_LETTERS);
    let letters = log.dead_letters().await?;
    finding.check(letters.is_empty(), || {
        letters.iter().map(|(subscription, count)| format!("{subscription}: {count}")).collect::<Vec<_>>().join(", ")
    });
    Ok(finding)
}

async fn kafka_kept(log: &Log) -> anyhow::Result<Finding> {
    let mut finding = Finding::of(KAFKA_KEPT);
    let lost = log.topics_lost().await?;
    finding.check(lost.is_empty(), || {
        let named = lost.iter().take(5).map(|(place, why)| format!("{place}: {why}"));
        format!("{} times, such as {}", lost.len(), named.collect::<Vec<_>>().join("; "))
    });
    Ok(finding)
}

async fn nothing_waits(log: &Log) -> anyhow::Result<Finding> {
    let mut finding = Finding::of(NOTHING_WAITS);
    let parked = log.parked().await?;
    finding.check(parked.is_empty(), || {
        let named = parked.iter().take(5).map(|(consumer, stream, depth)| format!("{consumer}: {stream} ({depth})"));
        format!("{} streams, such as {}", parked.len(), named.collect::<Vec<_>>().join(", "))
    });
    Ok(finding)
}

/// One log partition at a time against its topics.
struct Audit<'a> {
    log: &'a Log,
    topics: &'a Topics,
    mirrored: &'a [String],
    checks: Vec<Box<dyn LogCheck>>,
    found: TopicFindings,
}

impl Audit<'_> {
    fn topics_exist(&mut self, partitions: usize) -> anyhow::Result<()> {
        for topic in EVENT_TOPICS.into_iter().chain(self.mirrored.iter().map(String::as_str)) {
            let found = tokio::task::block_in_place(|| self.topics.partitions(topic))?;
            let name = self.topics.full_name(topic);
            self.found.partitions.check(found == partitions, || match found {
                0 => format!("{name} does not exist"),
                _ => format!("{name} has {found} partitions, the log {partitions}"),
            });
        }
        Ok(())
    }

    async fn partition(&mut self, partition: i16, head: i64, of: usize, progress: &Progress) -> anyhow::Result<()> {
        let mut expected: [Vec<Expected>; EVENT_TOPICS.len()] = Default::default();
        let mut after = 0;
        loop {
            let page = self.log.page(partition, after).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            progress.show(&format!("log: partition {} of {of}, position {after} of {head}", partition + 1));
            for row in &page {
                self.checks.iter_mut().for_each(|check| check.row(row));
                if let Some(topic) = topic_index(&row.stream_id) {
                    expected[topic].push(Expected::of(row));
                }
            }
        }
        self.checks.iter_mut().for_each(|check| check.end_of_partition(partition, head));
        tokio::task::block_in_place(|| {
            for (topic, expected) in EVENT_TOPICS.iter().zip(&expected) {
                progress.show(&format!("topics: {topic}, partition {} of {of}", partition + 1));
                self.topic(topic, partition, expected, true)?;
            }
            for topic in self.mirrored {
                let of_type =
                    expected.iter().flatten().filter(|event| event.is_of_type(topic)).cloned().collect::<Vec<_>>();
                self.topic(topic, partition, &of_type, false)?;
            }
            Ok(())
        })
    }

    fn topic(&mut self, topic: &str, partition: i16, expected: &[Expected], ordered: bool) -> anyhow::Result<()> {
        let exists = usize::try_from(partition)? < self.topics.partitions(topic)?;
        let mut audit = TopicAudit::new(topic, partition, expected, ordered, &mut self.found);
        if exists {
            self.topics.read(topic, partition, |offset, record| {
                audit.record(offset, record.as_ref().map_err(String::clone))
            })?;
        }
        audit.end();
        Ok(())
    }
}
