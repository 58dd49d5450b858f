//! Looks at the ends of topic partitions: what the broker holds, so that it can be compared with what was published.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::Config;
use super::reader;
use super::topics::{TopicError, blocking, kafka};
use crate::contracts::Position;
use crate::contracts::envelope::Envelope;
use crate::subscription::Record;
use crate::telemetry;

/// Longest wait for the broker, for each topic.
const PATIENCE: Duration = Duration::from_secs(5);
/// Records read from the end of a topic whose end is not where it should be.
const TAIL: i64 = 500;

/// An event's place in a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its offset.
    pub offset: i64,
    /// Its position in the log.
    pub position: Position,
    /// Position of the event before it in the topic; none on mirrored topics.
    pub previous: Option<Position>,
    /// Its stream.
    pub stream_id: String,
    /// Its version.
    pub version: i32,
}

/// What the broker holds of one topic partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The topic.
    pub topic: String,
    /// Offset of the first record kept.
    pub low: i64,
    /// Offset after the last.
    pub high: i64,
    /// The first record kept, if it is an event; looked at only if the end is not where it should be.
    pub first: Option<Place>,
    /// The events from the last one acknowledged on, or the last ones if that one is not there; in order.
    pub tail: Vec<Place>,
}

/// What the broker holds of one partition of some topics, and its cluster's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Changes when the broker's data are made anew.
    pub cluster: Option<String>,
    /// One end a topic, in the order asked.
    pub ends: Vec<End>,
}

/// Looks at `partition` of each topic, which is asked for with the offset after its last acknowledged record.
///
/// # Errors
/// [`TopicError`]; a topic that is not there is one.
pub async fn inspect(config: &Config, partition: i16, topics: Vec<(String, i64)>) -> Result<Inspection, TopicError> {
    let config = config.clone();
    blocking(move || {
        let mut client = config.reader();
        // The end of a topic is answered at once.
        client.set("fetch.wait.max.ms", "10");
        let consumer: BaseConsumer = client.create().map_err(|error| kafka(&config, error))?;
        let cluster = consumer.client().fetch_cluster_id(PATIENCE);
        let mut ends = Vec::with_capacity(topics.len());
        for (topic, next_offset) in topics {
            let end = end_of(&consumer, &config, topic, partition, next_offset);
            ends.push(end.map_err(|error| kafka(&config, error))?);
        }
        telemetry::kafka::answers();
        Ok(Inspection { cluster, ends })
    })
    .await
}

fn end_of(
    consumer: &BaseConsumer,
    config: &Config,
    topic: String,
    partition: i16,
    next_offset: i64,
) -> Result<End, KafkaError> {
    let name = config.prefixed(&topic);
    let (low, high) = consumer.fetch_watermarks(&name, i32::from(partition), PATIENCE)?;
    // Where the topic begins matters only when it does not end where it should.
    let is_short = high < next_offset;
    let first = if is_short && low < high { read(consumer, &name, partition, low, low + 1)?.pop() } else { None };
    let begins = if is_short { high - TAIL } else { next_offset - 1 };
    let begins = begins.max(low);
    let mut tail = Vec::new();
    if high - begins > TAIL {
        // Far more than was acknowledged: the place that counts, and the end.
        tail = read(consumer, &name, partition, begins, begins + 1)?;
        tail.extend(read(consumer, &name, partition, high - TAIL, high)?);
    } else if begins < high {
        tail = read(consumer, &name, partition, begins, high)?;
    }
    Ok(End { topic, low, high, first, tail })
}

/// The events between two offsets; records that are none are left out.
fn read(consumer: &BaseConsumer, topic: &str, partition: i16, from: i64, to: i64) -> Result<Vec<Place>, KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, i32::from(partition), Offset::Offset(from))?;
    consumer.assign(&list)?;
    let (mut next, mut places) = (from, Vec::new());
    while next < to {
        places.extend(reader::read(consumer, &mut next, to, usize::MAX)?.iter().filter_map(place));
    }
    consumer.unassign()?;
    Ok(places)
}

fn place(record: &Record) -> Option<Place> {
    let envelope = Envelope::read(|name| record.header(name)).ok()?;
    Some(Place {
        offset: record.offset,
        position: envelope.position,
        previous: envelope.previous,
        stream_id: envelope.stream_id,
        version: envelope.version,
    })
}
