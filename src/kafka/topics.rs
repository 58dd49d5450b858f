//! The topics: created where they are missing, refused where they do not fit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::Mutex;

use super::Config;
use crate::contracts::topics;
use crate::event_store::Partitions;
use crate::telemetry::{self, alarm};

/// Longest wait for the broker.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where alarms about topics stand.
const TOPICS: &str = "topics";
/// `retention.ms` of the topics that hold the log.
const FOR_EVER: &str = "-1";
/// `retention.ms` of dead letters: 90 days; Postgres keeps them anyway.
const LETTERS_KEEP: &str = "7776000000";

/// Why the topics cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// No broker is named.
    #[error("no Kafka is named; set KAFKA_BROKERS, or run `make up` and `source .local/env`")]
    NoBrokers,
    /// The broker does not answer, or refuses.
    #[error("Kafka does not answer at {0}")]
    Kafka(String, #[source] KafkaError),
    /// A topic could not be created.
    #[error("topic {0} could not be created: {1}")]
    NotCreated(String, RDKafkaErrorCode),
    /// Another number of partitions: keys would move and their order break.
    #[error("topic {topic} has {found} partitions and the log {expected}; nothing is published to it until they agree")]
    Partitions {
        /// Which topic.
        topic: String,
        /// What it has.
        found: usize,
        /// What the log has.
        expected: u16,
    },
}

/// All topics of this system; looked at once, and again after a failure.
#[derive(Clone, Debug)]
pub struct Topics {
    config: Config,
    partitions: Partitions,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// Whose dead letters have a topic.
    consumers: BTreeSet<String>,
    /// Everything was there when it was last looked at.
    fit: bool,
}

impl Topics {
    /// The topics of a log divided like this, with dead letters for each of `consumers`.
    #[must_use]
    pub fn new(config: Config, partitions: Partitions, consumers: &[&str]) -> Self {
        let consumers = consumers.iter().map(ToString::to_string).collect();
        Self { config, partitions, known: Arc::new(Mutex::new(Known { consumers, fit: false })) }
    }

    /// Dead letters of these, too: a consumer of another program may be new to this process.
    pub async fn with_letters_of<'a>(&self, consumers: impl IntoIterator<Item = &'a str>) {
        let mut known = self.known.lock().await;
        for consumer in consumers {
            if known.consumers.insert(consumer.to_owned()) {
                known.fit = false;
            }
        }
    }

    /// Creates what is missing and refuses what does not fit. Cheap once it has succeeded.
    ///
    /// # Errors
    /// [`TopicError`]; to be tried again.
    pub async fn ensure(&self) -> Result<(), TopicError> {
        let mut known = self.known.lock().await;
        if !known.fit {
            self.create(&known.consumers).await?;
            self.compare().await?;
            alarm::clear(alarm::TOPIC_PARTITIONS, TOPICS);
            known.fit = true;
        }
        Ok(())
    }

    /// They may be gone: the next [`Topics::ensure`] looks again.
    pub async fn doubt(&self) {
        self.known.lock().await.fit = false;
    }

    /// How the broker is reached.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Names on the broker of everything that has as many partitions as the log.
    fn partitioned(&self) -> Vec<String> {
        let streams = topics::STREAM_TOPICS.iter().map(|(topic, _)| *topic);
        let mirrored = self.config.mirrored.iter().map(String::as_str);
        streams.chain(mirrored).map(|topic| self.config.prefixed(topic)).collect()
    }

    async fn create(&self, consumers: &BTreeSet<String>) -> Result<(), TopicError> {
        if self.config.brokers.is_empty() {
            return Err(TopicError::NoBrokers);
        }
        let admin: AdminClient<DefaultClientContext> =
            self.config.admin().create().map_err(|error| self.kafka(error))?;
        let partitioned = self.partitioned();
        let letters: Vec<String> =
            consumers.iter().map(|name| self.config.prefixed(&topics::dead_letters_of(name))).collect();
        let (partitions, replication) = (i32::from(self.partitions.count()), i32::from(self.config.replication));
        let topic = |name, partitions, keep| {
            NewTopic::new(name, partitions, TopicReplication::Fixed(replication)).set("retention.ms", keep)
        };
        let new: Vec<NewTopic<'_>> = partitioned
            .iter()
            .map(|name| topic(name, partitions, FOR_EVER))
            .chain(letters.iter().map(|name| topic(name, 1, LETTERS_KEEP)))
            .collect();
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
        for outcome in admin.create_topics(&new, &options).await.map_err(|error| self.kafka(error))? {
            match outcome {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(TopicError::NotCreated(topic, code)),
            }
        }
        Ok(())
    }

    async fn compare(&self) -> Result<(), TopicError> {
        let (config, expected) = (self.config.clone(), self.partitions.count());
        let names = self.partitioned();
        blocking(move || {
            let client: BaseConsumer = config.admin().create().map_err(|error| kafka(&config, error))?;
            for topic in names {
                let metadata = client.fetch_metadata(Some(&topic), PATIENCE).map_err(|error| kafka(&config, error))?;
                let found = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
                if found != usize::from(expected) {
                    let error = TopicError::Partitions { topic, found, expected };
                    alarm::raise(alarm::TOPIC_PARTITIONS, TOPICS, &error.to_string());
                    return Err(error);
                }
            }
            Ok(())
        })
        .await
    }

    fn kafka(&self, error: KafkaError) -> TopicError {
        kafka(&self.config, error)
    }
}

pub(super) fn kafka(config: &Config, error: KafkaError) -> TopicError {
    TopicError::Kafka(config.brokers.clone(), error)
}

/// How many brokers answer, for probes.
///
/// # Errors
/// [`TopicError`].
pub async fn reachable(config: &Config) -> Result<usize, TopicError> {
    if config.brokers.is_empty() {
        return Err(TopicError::NoBrokers);
    }
    let config = config.clone();
    blocking(move || {
        let client: BaseConsumer = config.admin().create().map_err(|error| kafka(&config, error))?;
        let metadata = client.fetch_metadata(None, Duration::from_secs(2)).map_err(|error| kafka(&config, error))?;
        telemetry::kafka::answers();
        Ok(metadata.brokers().len())
    })
    .await
}

/// librdkafka's metadata calls block: they get a thread of their own.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TopicError> + Send + 'static,
) -> Result<T, TopicError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}
