//! Topics, read to their end without a group: nothing is committed, so nobody's lag moves.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::topic_audit::Record;

const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const SILENCE_ALLOWED: Duration = Duration::from_secs(20);
/// Records looked at from the end to learn how far a topic is; foreign ones may lie on top.
const TAIL: i64 = 100;

pub struct Topics {
    consumer: BaseConsumer,
    prefix: String,
    brokers: String,
}

#[derive(Clone, Copy)]
enum Stretch {
    All,
    Tail,
}

impl Topics {
    pub fn connect(brokers: &str, prefix: &str) -> anyhow::Result<Self> {
        let consumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("client.id", "ordo-checker")
            // librdkafka wants a name even where no group is joined.
            .set("group.id", "ordo-checker")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "error")
            .set("isolation.level", "read_uncommitted")
            // A fetch that waits at the end of one partition holds up the next one.
            .set("fetch.wait.max.ms", "10")
            // At its default of a second a full queue pauses the reader for that long.
            .set("fetch.queue.backoff.ms", "5")
            .create()
            .context("could not set up the Kafka consumer: check --brokers (host:port, comma separated)")?;
        Ok(Self { consumer, prefix: prefix.to_owned(), brokers: brokers.to_owned() })
    }

    pub fn full_name(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix)
    }

    /// 0 when there is no such topic.
    pub fn partitions(&self, topic: &str) -> anyhow::Result<usize> {
        let name = self.full_name(topic);
        let metadata = self.consumer.fetch_metadata(Some(&name), ANSWER_WITHIN).with_context(|| self.unreachable())?;
        let Some(found) = metadata.topics().iter().find(|found| found.name() == name) else {
            return Ok(0);
        };
        match found.error().map(RDKafkaErrorCode::from) {
            None => Ok(found.partitions().len()),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(0),
            Some(error) => Err(anyhow!(error).context(self.unreachable())),
        }
    }

    /// The highest position near the end of a topic partition; 0 when there is none.
    pub fn last_position(&self, topic: &str, partition: i16) -> anyhow::Result<i64> {
        let mut last = 0;
        self.scan(topic, partition, Stretch::Tail, |_, record| {
            last = last.max(record.map_or(0, |record| record.position));
        })?;
        Ok(last)
    }

    /// Hands over every record that is there now, in offset order.
    pub fn read(
        &self,
        topic: &str,
        partition: i16,
        each: impl FnMut(i64, Result<Record, String>),
    ) -> anyhow::Result<()> {
        self.scan(topic, partition, Stretch::All, each)
    }

    fn scan(
        &self,
        topic: &str,
        partition: i16,
        stretch: Stretch,
        mut each: impl FnMut(i64, Result<Record, String>),
    ) -> anyhow::Result<()> {
        let name = self.full_name(topic);
        let partition = i32::from(partition);
        let (low, high) = self
            .consumer
            .fetch_watermarks(&name, partition, ANSWER_WITHIN)
            .with_context(|| format!("could not ask for the end of {name}/{partition}: {}", self.unreachable()))?;
        let start = match stretch {
            Stretch::All => low,
            Stretch::Tail => low.max(high - TAIL),
        };
        if start >= high {
            return Ok(());
        }
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(&name, partition, Offset::Offset(start))?;
        self.consumer.assign(&assignment).with_context(|| format!("could not read {name}/{partition}"))?;
        let read = self.poll_until(high, &name, partition, &mut each);
        self.consumer.unassign().with_context(|| format!("could not end reading {name}/{partition}"))?;
        read
    }

    /// The relay writes without transactions, so the last offset below `high` is a record and will come.
    fn poll_until(
        &self,
        high: i64,
        name: &str,
        partition: i32,
        each: &mut impl FnMut(i64, Result<Record, String>),
    ) -> anyhow::Result<()> {
        let (mut heard, mut trouble) = (Instant::now(), None);
        loop {
            match self.consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => {
                    // What an earlier assignment left in the queue is not ours.
                    if message.topic() != name || message.partition() != partition {
                        continue;
                    }
                    heard = Instant::now();
                    let offset = message.offset();
                    if offset < high {
                        each(offset, parse(&message));
                    }
                    if offset + 1 >= high {
                        return Ok(());
                    }
                }
                Some(Err(error)) => trouble = Some(error),
                None => (),
            }
            if heard.elapsed() > SILENCE_ALLOWED {
                let trouble = trouble.map_or("no error either".to_owned(), |error| error.to_string());
                bail!(
                    "nothing came from {name}/{partition} for {SILENCE_ALLOWED:?} ({trouble}): {}",
                    self.unreachable()
                );
            }
        }
    }

    fn unreachable(&self) -> String {
        format!("see whether Kafka runs at {}", self.brokers)
    }
}

fn parse(message: &BorrowedMessage<'_>) -> Result<Record, String> {
    let header = |name: &str| -> Result<&str, String> {
        let found = message.headers().and_then(|headers| headers.iter().find(|header| header.key == name));
        let value = found.and_then(|header| header.value).ok_or_else(|| format!("no header {name}"))?;
        std::str::from_utf8(value).map_err(|_| format!("header {name} is no text"))
    };
    let number = |name: &str| -> Result<i64, String> {
        let text = header(name)?;
        text.parse().map_err(|_| format!("header {name} is {text:?}, no number"))
    };
    let id = header("ce_id")?;
    let id = id.parse().map_err(|_| format!("header ce_id is {id:?}, no UUID"))?;
    let event_type = header("ce_type")?;
    let version = i32::try_from(number("ce_streamversion")?).map_err(|_| "ce_streamversion is too large".to_owned())?;
    let payload = message.payload().ok_or("no value")?;
    let key = message.key().ok_or("no key")?;
    Ok(Record {
        position: number("ce_sequence")?,
        id,
        prev: number("ordo_prev").ok(),
        content: Record::content(key, header("ce_subject")?, version, event_type, payload),
        event_type: event_type.to_owned(),
    })
}
