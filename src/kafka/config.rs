//! `[kafka]`.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use serde::{Deserialize, Serialize};

use crate::config::range;

use crate::contracts::topics;

/// `[kafka]`: where the log is published and followed. `ORDO_KAFKA__SESSION_TIMEOUT=30s` overrides a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Brokers to begin with, such as `127.0.0.1:9092`. `KAFKA_BROKERS` names them, too.
    pub brokers: String,
    /// Stands before every topic and group: two systems may share a broker.
    pub topic_prefix: String,
    /// Event types that are also published to a topic of their own name.
    pub mirrored: Vec<String>,
    /// Replicas of topics this system creates: 1 to the number of brokers.
    pub replication: u16,
    /// Silence after which a consumer's partitions go to another: 6 s is the least brokers allow by default.
    #[serde(with = "humantime_serde")]
    pub session_timeout: Duration,
    /// How long the producer waits to fill a request: throughput against latency.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// Records of one log partition that may be on their way at once: 100 to 100,000.
    pub in_flight: usize,
    /// Bytes a feed fetches ahead for each partition.
    pub queued_kilobytes: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            brokers: String::new(),
            topic_prefix: String::new(),
            mirrored: topics::MIRRORED.iter().map(|name| (*name).to_owned()).collect(),
            replication: 1,
            session_timeout: Duration::from_secs(10),
            linger: Duration::from_millis(2),
            in_flight: 10_000,
            queued_kilobytes: 4_096,
        }
    }
}

impl Config {
    /// Whether every value is within its range.
    ///
    /// # Errors
    /// In one line: the key, its value, what is expected.
    pub fn check(&self) -> Result<(), String> {
        range::number("kafka.replication", self.replication, 1..=100)?;
        range::number("kafka.in_flight", self.in_flight, 100..=100_000)?;
        range::number("kafka.queued_kilobytes", self.queued_kilobytes, 64..=2_097_151)?;
        let second = Duration::from_secs(1);
        range::time("kafka.session_timeout", self.session_timeout, second..=second * 1_800)?;
        range::time("kafka.linger", self.linger, Duration::ZERO..=second)
    }
}

impl Config {
    /// The name on the broker of one of our topics or groups.
    #[must_use]
    pub fn prefixed(&self, name: &str) -> String {
        format!("{}{name}", self.topic_prefix)
    }

    /// Our name of a topic on the broker.
    #[must_use]
    pub fn bare<'a>(&self, topic: &'a str) -> &'a str {
        topic.strip_prefix(self.topic_prefix.as_str()).unwrap_or(topic)
    }

    fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "ordo")
            .set("socket.keepalive.enable", "true")
            // A broker that comes back is to be found within a second, not within ten.
            .set("reconnect.backoff.max.ms", "1000")
            .set("broker.address.ttl", "1000");
        client
    }

    pub(super) fn admin(&self) -> ClientConfig {
        self.client()
    }

    /// Reads a topic partition once. librdkafka wants the name of a group; whoever assigns itself never joins it.
    pub(super) fn reader(&self) -> ClientConfig {
        let mut reader = self.client();
        reader
            .set("group.id", self.prefixed("log-verify"))
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("check.crcs", "true")
            .set("allow.auto.create.topics", "false")
            .set("enable.partition.eof", "true")
            .set("queued.max.messages.kbytes", self.queued_kilobytes.to_string());
        reader
    }

    pub(super) fn producer(&self) -> ClientConfig {
        let mut producer = self.client();
        // The end of a connection is told by the log.
        producer.set_log_level(RDKafkaLogLevel::Info);
        producer
            // Never: a producer whose connection is lost is given up, and what it holds must not reach who comes back.
            .set("reconnect.backoff.ms", "60000")
            .set("reconnect.backoff.max.ms", "60000")
            .set("enable.idempotence", "true")
            // A gap is deadly together with dedup: neither an error nor a time-out may make one.
            .set("enable.gapless.guarantee", "true")
            .set("message.timeout.ms", "0")
            .set("linger.ms", self.linger.as_millis().to_string())
            .set("batch.num.messages", "10000")
            .set("batch.size", "1000000")
            .set("message.max.bytes", "1000000")
            .set("queue.buffering.max.messages", "200000")
            .set("queue.buffering.max.kbytes", "131072")
            .set("partitioner", "murmur2_random");
        producer
    }

    pub(super) fn consumer(&self, group: &str) -> ClientConfig {
        let mut consumer = self.client();
        consumer
            .set("group.id", self.prefixed(group))
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", self.session_timeout.as_millis().to_string())
            .set("heartbeat.interval.ms", (self.session_timeout.as_millis() / 5).clamp(500, 3_000).to_string())
            // Commits to Kafka serve lag tools only; the checkpoint in Postgres is what counts.
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "2000")
            .set("enable.auto.offset.store", "false")
            // Out of range: from the beginning; positions suppress what is known.
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", "read_committed")
            .set("allow.auto.create.topics", "false")
            .set("topic.metadata.refresh.interval.ms", "10000")
            .set("queued.min.messages", "5000")
            .set("queued.max.messages.kbytes", self.queued_kilobytes.to_string())
            // At its default of a second a bare client reads 55,000 a second; at 5 ms a million.
            .set("fetch.queue.backoff.ms", "5")
            .set("fetch.wait.max.ms", "100")
            .set("fetch.message.max.bytes", "1048576")
            .set("statistics.interval.ms", "2000")
            .set("enable.partition.eof", "false");
        consumer
    }
}
