//! `ordo log verify --topics`: is what the relay has published in its topics, in order, and nothing else?

use std::collections::VecDeque;

use sqlx::PgPool;

use super::comparison::{Comparison, Report, Skipped};
use super::topics::TopicError;
use super::{Config, TopicReader};
use crate::contracts::envelope::Envelope;
use crate::contracts::{Position, topics};
use crate::event_store;

/// Positions of the log looked through by one statement.
const RANGE: Position = 5_000;
/// Records compared at once.
const RECORDS: usize = 1_000;

/// What the relay says it has published of one log partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Which partition.
    pub partition: i16,
    /// Its checkpoint. To be read before the topics are: what is published later is not missing.
    pub through: Position,
}

/// Why a comparison could not be ended.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Kafka does not answer.
    #[error(transparent)]
    Kafka(#[from] TopicError),
    /// Postgres does not answer.
    #[error("the log could not be read")]
    Postgres(#[from] sqlx::Error),
}

/// Compares every topic the relay writes, mirrored ones too, with the log, a partition at a time. `progress` hears for each
/// batch how many records were compared.
///
/// # Errors
/// [`VerifyError`].
pub async fn verify(
    db: &PgPool,
    config: &Config,
    published: &[Published],
    progress: impl Fn(u64),
) -> Result<Vec<Report>, VerifyError> {
    let all: Vec<&'static str> =
        topics::STREAM_TOPICS.iter().flat_map(|(_, prefixes)| prefixes.iter().copied()).collect();
    let mut reports = Vec::new();
    for part in published {
        for (topic, prefixes) in topics::STREAM_TOPICS {
            let held = Held { topic, prefixes, event_type: None };
            reports.push(compare(db, config, *part, &held, &progress).await?);
        }
        for event_type in &config.mirrored {
            let held = Held { topic: event_type, prefixes: &all, event_type: Some(event_type) };
            reports.push(compare(db, config, *part, &held, &progress).await?);
        }
    }
    reports.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    Ok(reports)
}

/// Which events a topic holds.
struct Held<'a> {
    topic: &'a str,
    prefixes: &'a [&'a str],
    event_type: Option<&'a str>,
}

impl Held<'_> {
    /// Whether an event of the log belongs here.
    fn takes(&self, envelope: &Envelope) -> bool {
        let prefix = envelope.stream_id.split(':').next().unwrap_or_default();
        self.prefixes.contains(&prefix) && self.event_type.is_none_or(|wanted| wanted == envelope.event_type)
    }
}

async fn compare(
    db: &PgPool,
    config: &Config,
    published: Published,
    held: &Held<'_>,
    progress: &impl Fn(u64),
) -> Result<Report, VerifyError> {
    let Published { partition, through } = published;
    let mut comparison = Comparison::new(held.topic, partition, through);
    let mut expected = Expected { db, partition, through, held, found: VecDeque::new(), looked: 0 };
    if let Some(mut reader) = TopicReader::open(config, held.topic, partition).await? {
        loop {
            let records = reader.next(RECORDS).await?;
            if records.is_empty() {
                break;
            }
            progress(records.len() as u64);
            let read: Vec<(i64, Result<Envelope, String>)> = records
                .iter()
                .map(|record| {
                    let envelope = Envelope::read(|name| record.header(name)).map_err(|error| error.to_string());
                    (record.offset, envelope.and_then(|envelope| belongs(held, envelope)))
                })
                .collect();
            for (offset, envelope) in known(db, partition, read).await? {
                match envelope {
                    Err(why) => comparison.foreign(offset, &why),
                    Ok(position) if comparison.is_behind(position) => comparison.behind(offset, position),
                    Ok(position) => comparison.advance(offset, position, expected.skip_to(position).await?),
                }
            }
        }
    }
    Ok(comparison.finish(expected.skip_to(Position::MAX).await?))
}

fn belongs(held: &Held<'_>, envelope: Envelope) -> Result<Envelope, String> {
    if held.takes(&envelope) {
        return Ok(envelope);
    }
    Err(format!("{} of {} belongs to another topic", envelope.event_type, envelope.stream_id))
}

/// Position of each record that the log knows at just that place.
async fn known(
    db: &PgPool,
    partition: i16,
    read: Vec<(i64, Result<Envelope, String>)>,
) -> sqlx::Result<Vec<(i64, Result<Position, String>)>> {
    let (numbers, places): (Vec<usize>, Vec<(Position, &str, i32)>) = read
        .iter()
        .enumerate()
        .filter_map(|(number, (_, envelope))| {
            let envelope = envelope.as_ref().ok()?;
            Some((number, (envelope.position, envelope.stream_id.as_str(), envelope.version)))
        })
        .unzip();
    let unknown = event_store::unknown(&mut *db.acquire().await?, partition, &places).await?;
    let unknown: Vec<usize> = unknown.into_iter().map(|index| numbers[index]).collect();
    let judged = |(number, (offset, envelope)): (usize, (i64, Result<Envelope, String>))| {
        let position = envelope.and_then(|envelope| match unknown.binary_search(&number) {
            Err(_) => Ok(envelope.position),
            Ok(_) => Err(format!(
                "the log has no version {} of {} at position {}",
                envelope.version, envelope.stream_id, envelope.position
            )),
        });
        (offset, position)
    };
    Ok(read.into_iter().enumerate().map(judged).collect())
}

/// The positions a topic partition should hold, in order, read from the log a range at a time.
struct Expected<'a> {
    db: &'a PgPool,
    partition: i16,
    through: Position,
    held: &'a Held<'a>,
    found: VecDeque<Position>,
    /// Up to where the log has been looked through.
    looked: Position,
}

impl Expected<'_> {
    /// Takes what is expected up to `position`; answers with those strictly before it.
    async fn skip_to(&mut self, position: Position) -> sqlx::Result<Skipped> {
        let mut skipped = Skipped::default();
        loop {
            while let Some(next) = self.found.front().copied().filter(|next| *next <= position) {
                self.found.pop_front();
                if next < position {
                    skipped.first = if skipped.count == 0 { next } else { skipped.first };
                    skipped.count += 1;
                }
            }
            if !self.found.is_empty() || self.looked >= self.through.min(position) {
                return Ok(skipped);
            }
            let upto = (self.looked + RANGE).min(self.through);
            let Held { prefixes, event_type, .. } = self.held;
            let (db, partition) = (self.db, self.partition);
            self.found =
                event_store::positions_of(db, partition, self.looked, upto, prefixes, *event_type).await?.into();
            self.looked = upto;
        }
    }
}
