//! Before a relay publishes: does the broker still hold what was published? What it has lost is published again from the
//! log, each topic from its last intact record, before anything new: order within a topic is never given up.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::records::records_of;
use super::{Arguments, FULL_PAUSE, PAGE, RELAY};
use crate::contracts::{Position, RecordedEvent, topics};
use crate::event_store;
use crate::kafka::inspect::{self, End, Place};
use crate::kafka::loss::{self, Noted, Verdict};
use crate::kafka::{Generation, InFlight, PublishError, Record};
use crate::subscription::Lane;
use crate::subscription::checkpoint::{self, Claim};
use crate::supervision::Crash;
use crate::telemetry;
use crate::telemetry::alarm;

/// What a comparison came to.
#[derive(Debug)]
pub(super) struct Compared {
    /// Topics that lack events.
    lost: Vec<Lost>,
    /// Why nothing may be published, if so.
    pub(super) ahead: Option<String>,
    /// Offset after the last record of each topic that is intact.
    offsets: Vec<(String, i64)>,
    /// Last position of each topic up to the relay's place: the next record's predecessor.
    pub(super) previous: HashMap<&'static str, Position>,
}

/// A topic that lacks events.
#[derive(Debug)]
struct Lost {
    topic: String,
    after: Position,
    upto: Position,
    why: String,
}

impl Compared {
    /// Whether everything published is there.
    pub(super) fn is_intact(&self) -> bool {
        self.lost.is_empty() && self.ahead.is_none()
    }

    /// What is wrong, in words.
    pub(super) fn why(&self) -> String {
        let lost = self.lost.iter().map(|lost| lost.why.as_str());
        lost.chain(self.ahead.as_deref()).collect::<Vec<_>>().join("; ")
    }

    /// Tells a window where each topic ends, so that it notices one that is made again.
    pub(super) fn teach(&self, window: &InFlight) {
        for (topic, next_offset) in &self.offsets {
            window.ends_at(topic, *next_offset);
        }
    }
}

/// Compares the broker with what was published up to the relay's place.
///
/// # Errors
/// The broker or Postgres does not answer.
pub(super) async fn compare(arguments: &Arguments, lane: &Lane, position: Position) -> Result<Compared, Crash> {
    let Arguments { partition, db, topics, .. } = arguments;
    let mut previous = HashMap::new();
    let mut wanted: Vec<(String, Position)> = Vec::new();
    for (topic, prefixes) in topics::STREAM_TOPICS {
        let last = event_store::last_of_prefixes(db, *partition, position, prefixes).await;
        let last = last.map_err(Crash::dependency_down)?;
        previous.insert(*topic, last);
        wanted.push(((*topic).to_owned(), last));
    }
    for topic in arguments.mirrored.iter() {
        let last = event_store::last_of_type(db, *partition, position, topic).await;
        wanted.push((topic.clone(), last.map_err(Crash::dependency_down)?));
    }
    let noted = checkpoint::noted(RELAY, *partition, db).await.map_err(Crash::dependency_down)?;
    let of =
        |topic: &str| noted.iter().find(|noted| noted.topic == topic).map_or((0, 0), |n| (n.next_offset, n.position));
    let asked = wanted.iter().map(|(topic, _)| (topic.clone(), of(topic).0)).collect();
    let found = match inspect::inspect(topics.config(), *partition, asked).await {
        Ok(found) => found,
        Err(error) => {
            // A topic may be gone: it is looked for, and made again, before the next try.
            topics.doubt().await;
            return Err(Crash::dependency_down(error));
        }
    };
    if let Some(cluster) = &found.cluster {
        let before = checkpoint::note_cluster(lane, cluster, db).await.map_err(Crash::dependency_down)?;
        if let Some(before) = before.filter(|before| before != cluster) {
            tracing::warn!(partition, before, now = cluster, "Kafka is another cluster than before");
        }
    }
    let mut compared = Compared { lost: Vec::new(), ahead: None, offsets: Vec::new(), previous };
    for (end, (topic, expected)) in found.ends.into_iter().zip(wanted) {
        let unknown = unknown_in(&end, arguments).await?;
        let (next_offset, position) = of(&topic);
        let noted = Noted { next_offset, position, expected };
        match loss::judge(&noted, &end, |place| !unknown.contains(place)) {
            Verdict::Intact => compared.offsets.push((topic, end.high)),
            Verdict::Lost { after, why } => compared.lost.push(Lost { topic, after, upto: expected, why }),
            Verdict::Ahead { why } => compared.ahead = Some(why),
        }
    }
    Ok(compared)
}

async fn unknown_in(end: &End, arguments: &Arguments) -> Result<Vec<Place>, Crash> {
    if end.tail.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<(Position, &str, i32)> =
        end.tail.iter().map(|place| (place.position, place.stream_id.as_str(), place.version)).collect();
    let unknown = async {
        let mut db = arguments.db.acquire().await?;
        event_store::unknown(&mut db, arguments.partition, &places).await
    };
    let unknown = unknown.await.map_err(Crash::dependency_down)?;
    Ok(unknown.into_iter().map(|index| end.tail[index].clone()).collect())
}

/// Publishes again what was lost, and notes where each topic ends now.
///
/// # Errors
/// The broker or Postgres does not answer, or another process has taken the lease; it is begun anew then.
pub(super) async fn republish(
    arguments: &Arguments,
    lane: &Lane,
    claim: Claim,
    producer: &Generation,
    compared: &mut Compared,
) -> Result<(), Crash> {
    for lost in std::mem::take(&mut compared.lost) {
        let place = format!("{} partition {}", lost.topic, lane.partition);
        alarm::raise(alarm::TOPIC_LOST, &place, &lost.why);
        let window = InFlight::after(lost.after);
        let events = one(arguments, lane, claim, producer, &lost, &window).await?;
        let noted = window.take_topics();
        let saved = async {
            let mut tx = arguments.db.begin().await?;
            let (position, lease) = (claim.position, Some(arguments.lease));
            let held = checkpoint::advance(lane, claim.epoch, position, position, lease, &mut tx).await?;
            checkpoint::note_published(RELAY, lane.partition, &noted, &mut tx).await?;
            if held {
                tx.commit().await?;
            }
            Ok::<bool, sqlx::Error>(held)
        };
        if !saved.await.map_err(Crash::dependency_down)? {
            return Err(Crash::dependency_down("another process has taken the lease"));
        }
        telemetry::relay::republished(&lost.topic, lane.partition, events);
        compared.offsets.extend(noted.into_iter().map(|topic| (topic.topic, topic.next_offset)));
        alarm::clear(alarm::TOPIC_LOST, &place);
    }
    Ok(())
}

/// One topic, from its last intact record to the relay's place; answers with how many events.
async fn one(
    arguments: &Arguments,
    lane: &Lane,
    claim: Claim,
    producer: &Generation,
    lost: &Lost,
    window: &Arc<InFlight>,
) -> Result<u64, Crash> {
    let prefixes = match topics::streams_of(&lost.topic) {
        [] => topics::STREAM_TOPICS.iter().flat_map(|(_, prefixes)| *prefixes).copied().collect(),
        own => own.to_vec(),
    };
    let (mut last, mut sent, mut renewed_at) = (lost.after, 0, Instant::now());
    let mut previous = lost.after;
    while last < lost.upto {
        let page = event_store::between(&arguments.db, lane.partition, last, lost.upto + 1, &prefixes, PAGE).await;
        let page = page.map_err(Crash::dependency_down)?;
        if page.is_empty() {
            return Err(Crash::bug(format!("the log lacks events after position {last} that were published")));
        }
        for event in page {
            // Positions between are other topics': the window counts without holes.
            (last + 1..event.position).for_each(|position| window.expect(position, 0));
            last = event.position;
            let record = record_of(&event, &lost.topic, &mut previous, &arguments.mirrored);
            window.expect(event.position, u8::from(record.is_some()));
            if let Some(record) = record {
                send(arguments, producer, &record, event.position, window).await?;
                sent += 1;
            }
        }
        if renewed_at.elapsed() >= arguments.lease / 3 {
            renewed_at = Instant::now();
            let is_ours = checkpoint::renew(lane, claim.epoch, arguments.lease, &arguments.db).await;
            if !is_ours.map_err(Crash::dependency_down)? {
                return Err(Crash::dependency_down("another process has taken the lease"));
            }
        }
    }
    while !window.is_empty() {
        settle(producer, window).await?;
    }
    Ok(sent)
}

fn record_of(event: &RecordedEvent, topic: &str, previous: &mut Position, mirrored: &[String]) -> Option<Record> {
    let own = topics::of_stream(&event.stream_id)?;
    let known = HashMap::from([(own, *previous)]);
    let record = records_of(event, Some(own), &known, mirrored).into_iter().find(|record| record.topic == topic)?;
    *previous = event.position;
    Some(record)
}

async fn send(
    arguments: &Arguments,
    producer: &Generation,
    record: &Record,
    position: Position,
    window: &Arc<InFlight>,
) -> Result<(), Crash> {
    loop {
        if window.len() >= arguments.in_flight {
            settle(producer, window).await?;
            continue;
        }
        match producer.send(record, position, window) {
            Ok(()) => return Ok(()),
            Err(PublishError::Full) => settle(producer, window).await?,
            Err(broken) => return Err(Crash::dependency_down(broken)),
        }
    }
}

async fn settle(producer: &Generation, window: &InFlight) -> Result<(), Crash> {
    if producer.is_broken() {
        producer.give_up();
        return Err(Crash::dependency_down("the connection to the broker was lost"));
    }
    if let Some(why) = window.failure() {
        return Err(Crash::dependency_down(why));
    }
    tokio::time::sleep(FULL_PAUSE).await;
    Ok(())
}
