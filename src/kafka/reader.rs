//! One topic partition, read once from its beginning to the end it has now: by assignment, without a group, so that no
//! consumer notices.

use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::Config;
use super::group::record;
use super::topics::{TopicError, blocking, kafka};
use crate::subscription::Record;

/// Longest wait for the broker to bring something.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest single wait.
const POLL: Duration = Duration::from_millis(500);
/// Most bytes handed over at once.
const BATCH_BYTES: usize = 1 << 20;

/// What is left of one topic partition.
pub struct TopicReader {
    config: Config,
    /// Away while it is being polled on another thread.
    consumer: Option<BaseConsumer>,
    next: i64,
    end: i64,
}

impl TopicReader {
    /// A reader of `topic`, by our name of it; `None` if the broker has no such topic or partition.
    ///
    /// # Errors
    /// [`TopicError`] if the broker does not answer.
    pub async fn open(config: &Config, topic: &str, partition: i16) -> Result<Option<Self>, TopicError> {
        if config.brokers.is_empty() {
            return Err(TopicError::NoBrokers);
        }
        let (config, topic, partition) = (config.clone(), config.prefixed(topic), i32::from(partition));
        blocking(move || {
            let consumer: BaseConsumer = config.reader().create().map_err(|error| kafka(&config, error))?;
            let (begin, end) = match consumer.fetch_watermarks(&topic, partition, PATIENCE) {
                Ok(marks) => marks,
                Err(error) if is_absent(&error) => return Ok(None),
                Err(error) => return Err(kafka(&config, error)),
            };
            let mut places = TopicPartitionList::new();
            places
                .add_partition_offset(&topic, partition, Offset::Offset(begin))
                .and_then(|()| consumer.assign(&places))
                .map_err(|error| kafka(&config, error))?;
            Ok(Some(Self { config, consumer: Some(consumer), next: begin, end }))
        })
        .await
    }

    /// Offsets between where it is and the end it had when it was opened.
    #[must_use]
    pub fn left(&self) -> u64 {
        u64::try_from(self.end - self.next).unwrap_or(0)
    }

    /// The next records, at most `limit` and about 1 MiB; none once the end is reached.
    ///
    /// # Errors
    /// [`TopicError`] if the broker brings nothing within 10 s; the reader cannot be used afterwards.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Record>, TopicError> {
        let Some(consumer) = self.consumer.take() else { return Ok(Vec::new()) };
        let (config, mut next, end) = (self.config.clone(), self.next, self.end);
        let (consumer, next, records) = blocking(move || {
            let records = read(&consumer, &mut next, end, limit).map_err(|error| kafka(&config, error))?;
            Ok((consumer, next, records))
        })
        .await?;
        (self.consumer, self.next) = (Some(consumer), next);
        Ok(records)
    }
}

/// The records from `next` to before `end`, at most `limit` and about 1 MiB.
pub(super) fn read(consumer: &BaseConsumer, next: &mut i64, end: i64, limit: usize) -> Result<Vec<Record>, KafkaError> {
    let (mut records, mut bytes, mut heard) = (Vec::new(), 0, Instant::now());
    let mut reason = KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);
    while *next < end && records.len() < limit && bytes < BATCH_BYTES {
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                *next = message.offset() + 1;
                // What came after the end was looked up is another look's.
                if message.offset() < end {
                    bytes += message.payload_len();
                    records.push(record(&message));
                }
                heard = Instant::now();
            }
            // Before the end that was told only where the last offsets hold no record.
            Some(Err(KafkaError::PartitionEOF(_))) => *next = end,
            // librdkafka tries again by itself; only silence for too long is an answer.
            Some(Err(error)) => reason = error,
            None => {}
        }
        if heard.elapsed() > PATIENCE {
            return Err(reason);
        }
    }
    Ok(records)
}

fn is_absent(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{UnknownPartition, UnknownTopic, UnknownTopicOrPartition};
    error
        .rdkafka_error_code()
        .is_some_and(|code| matches!(code, UnknownPartition | UnknownTopic | UnknownTopicOrPartition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_broker_there_is_nothing_to_read() {
        let opened = TopicReader::open(&Config::default(), "order.events", 0).await;
        assert!(matches!(opened, Err(TopicError::NoBrokers)));
    }
}
