//! What librdkafka calls back: rebalances are recorded, statistics become lag. Nothing here waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::group::TopicPartition;
use crate::telemetry;

/// What the group has decided about partitions.
pub(super) enum Rebalance {
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
}

/// Where each partition's reader is: with the end the broker reports, its lag.
pub(super) type Reads = Arc<Mutex<HashMap<TopicPartition, i64>>>;

/// What librdkafka calls back.
pub(super) struct Context {
    pub(super) rebalances: Arc<Mutex<Vec<Rebalance>>>,
    pub(super) subscription: String,
    pub(super) reads: Reads,
    /// Reports in a row in which the client knew no broker at all.
    pub(super) stranded: AtomicU32,
}

/// Reports without a broker after which a client is given up.
const STRANDED_AFTER: u32 = 2;

impl Context {
    /// Whether the client has forgotten every broker, those it was given at the start included. librdkafka does so on an
    /// answer that names none, as a broker that has just started gives, and never recovers (librdkafka issue 5301).
    pub(super) fn is_stranded(&self) -> bool {
        self.stranded.load(Ordering::Relaxed) >= STRANDED_AFTER
    }
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        if statistics.brokers.values().any(|broker| matches!(broker.source.as_str(), "configured" | "learned")) {
            self.stranded.store(0, Ordering::Relaxed);
        } else {
            self.stranded.fetch_add(1, Ordering::Relaxed);
        }
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, next_offset) in reads.iter() {
            let seen = statistics.topics.get(&place.topic).and_then(|topic| topic.partitions.get(&place.partition));
            if let Some(seen) = seen.filter(|seen| seen.fetch_state != "active") {
                tracing::debug!(
                    subscription = self.subscription,
                    topic = place.topic,
                    partition = place.partition,
                    state = seen.fetch_state,
                    next_offset = seen.next_offset,
                    end = seen.hi_offset,
                    "a partition is not fetched"
                );
            }
            let end = seen.map_or(-1, |seen| seen.ls_offset);
            if end >= 0
                && let Ok(partition) = i16::try_from(place.partition)
            {
                telemetry::subscription::lag(&self.subscription, &place.topic, partition, end - next_offset);
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tell(&error, reason);
        tracing::debug!(subscription = self.subscription, %error, reason, "the consumer reports");
    }
}

/// Whether a client has lost every broker.
pub(super) fn tell(error: &KafkaError, reason: &str) {
    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
        telemetry::kafka::away(reason);
    }
}

impl ConsumerContext for Context {
    /// Records what happened; the thread acts on it, outside the callback.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, error: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let places = places(list);
        let rebalance = if error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            Rebalance::Assigned(places)
        } else {
            // Whatever a worker still commits is fenced by the next owner's epoch, so nothing need be waited for.
            if let Err(error) = consumer.incremental_unassign(list) {
                tracing::warn!(subscription = self.subscription, %error, "partitions could not be given back");
            }
            Rebalance::Revoked(places)
        };
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).push(rebalance);
    }
}

fn places(list: &TopicPartitionList) -> Vec<TopicPartition> {
    // `elements()` misbehaves on an empty list.
    if list.count() == 0 {
        return Vec::new();
    }
    list.elements()
        .iter()
        .map(|element| TopicPartition { topic: element.topic().to_owned(), partition: element.partition() })
        .collect()
}
