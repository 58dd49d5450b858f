//! Publishing in order: records are enqueued in position order, and what counts is the prefix the broker has acknowledged.
//!
//! Fail-stop: after any delivery error the producer is given up, whoever used it begins anew from its checkpoint with the
//! next one. Suppose records 2 and 3 failed and 4 got through, and 2 were sent again: a consumer that dedups by id would
//! apply 4 before 2, for ever. So nothing is ever sent behind a record that failed.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, PurgeConfig, ThreadedProducer};

use super::Config;
use super::callbacks::tell;
use crate::contracts::Position;
use crate::subscription::checkpoint::Acknowledged;
use crate::telemetry::{self, trace::Span};

/// Longest wait for the broker.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often that wait looks whether the connection is lost.
const LOOK: Duration = Duration::from_millis(500);
/// What librdkafka's log calls the end of a connection.
const CONNECTION_LOST: &str = "FAIL";
/// And its opinion of the configuration, which every producer would repeat.
const CONFIGURED: &str = "CONFWARN";

/// Why publishing cannot go on with this producer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// The producer's queue is full: the same record again, in a moment.
    #[error("the producer's queue is full")]
    Full,
    /// A delivery failed, or the producer is given up: begin anew from the checkpoint.
    #[error("the broker did not take a record: {0}")]
    Broken(String),
}

/// A record on its way to one topic.
#[derive(Clone, Debug)]
pub struct Record {
    /// Topic, without the prefix.
    pub topic: String,
    /// Its partition; by key if none.
    pub partition: Option<i16>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Its time.
    pub at: DateTime<Utc>,
    /// From here to the broker's acknowledgement, in the event's trace.
    pub span: Span,
}

/// Hands out the process' producer, and a new one after it broke.
#[derive(Debug)]
pub struct Publisher {
    config: Config,
    current: Mutex<Option<Arc<Generation>>>,
}

/// One producer, until its first error.
pub struct Generation {
    producer: ThreadedProducer<Deliveries>,
    prefix: String,
    purged: AtomicBool,
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generation").field("broken", &self.is_broken()).finish_non_exhaustive()
    }
}

impl Publisher {
    /// A publisher that makes its producer when it is first needed.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, current: Mutex::default() }
    }

    /// The producer to use now.
    ///
    /// # Errors
    /// [`PublishError::Broken`] if none can be made.
    pub fn current(&self) -> Result<Arc<Generation>, PublishError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(generation) = current.as_ref().filter(|generation| !generation.is_broken()) {
            return Ok(generation.clone());
        }
        if let Some(broken) = current.take() {
            // What it still holds must not go out behind what the next one sends.
            broken.give_up();
        }
        let producer = self
            .config
            .producer()
            .create_with_context(Deliveries { broken: AtomicBool::new(false) })
            .map_err(|error: KafkaError| PublishError::Broken(error.to_string()))?;
        let (prefix, purged) = (self.config.topic_prefix.clone(), AtomicBool::new(false));
        let generation = Arc::new(Generation { producer, prefix, purged });
        *current = Some(generation.clone());
        Ok(generation)
    }

    /// The producer to use now, with a connection that stands: whatever happens to the broker from now on breaks it, so a
    /// look at the broker after this holds for everything that is sent with it.
    ///
    /// # Errors
    /// [`PublishError::Broken`] if the broker does not answer.
    pub async fn connected(&self) -> Result<Arc<Generation>, PublishError> {
        let generation = self.current()?;
        let asked = generation.clone();
        let answer = tokio::task::spawn_blocking(move || asked.ask_for_metadata()).await;
        match answer {
            Ok(Ok(())) if !generation.is_broken() => Ok(generation),
            Ok(Ok(())) => Err(PublishError::Broken("the connection was lost at once".into())),
            Ok(Err(error)) => Err(PublishError::Broken(error.to_string())),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

impl Generation {
    /// Whether a delivery has failed: nothing may be sent with it any more.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.producer.context().broken.load(Ordering::Acquire)
    }

    /// Blocks until the broker answers. A producer that is broken never connects again, so nothing is waited for then.
    fn ask_for_metadata(&self) -> Result<(), KafkaError> {
        let began = Instant::now();
        loop {
            match self.producer.client().fetch_metadata(None, LOOK) {
                Err(_) if !self.is_broken() && began.elapsed() < PATIENCE => {}
                answer => return answer.map(drop),
            }
        }
    }

    /// Sends one record of the event at `position`, which `window` has been told of.
    ///
    /// # Errors
    /// [`PublishError`]; after `Full` the same record is to be sent again before any other.
    pub fn send(&self, record: &Record, position: Position, window: &Arc<InFlight>) -> Result<(), PublishError> {
        if self.is_broken() {
            return Err(PublishError::Broken("the producer was given up".into()));
        }
        let topic = format!("{}{}", self.prefix, record.topic);
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for (key, value) in &record.headers {
            headers = headers.insert(Header { key, value: value.as_deref() });
        }
        let ticket = Box::new(Ticket {
            position,
            topic: record.topic.clone(),
            window: window.clone(),
            span: record.span.clone(),
        });
        let mut base: BaseRecord<'_, [u8], [u8], Box<Ticket>> =
            BaseRecord::with_opaque_to(&topic, ticket).headers(headers).timestamp(record.at.timestamp_millis());
        if let Some(partition) = record.partition {
            base = base.partition(i32::from(partition));
        }
        if let Some(key) = &record.key {
            base = base.key(key.as_slice());
        }
        if let Some(value) = &record.value {
            base = base.payload(value.as_slice());
        }
        match self.producer.send(base) {
            Ok(()) => Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => Err(PublishError::Full),
            Err((error, _)) => {
                self.give_up();
                Err(PublishError::Broken(error.to_string()))
            }
        }
    }

    /// Gives the producer up: what is still queued is dropped and reported as failed to whoever waits for it.
    pub fn give_up(&self) {
        self.producer.context().broken.store(true, Ordering::Release);
        if !self.purged.swap(true, Ordering::AcqRel) {
            self.producer.purge(PurgeConfig::default().queue().inflight());
        }
    }
}

/// What comes back with a delivery report.
struct Ticket {
    position: Position,
    topic: String,
    window: Arc<InFlight>,
    span: Span,
}

struct Deliveries {
    broken: AtomicBool,
}

/// Whoever comes back may be another: a broker that was wiped takes records as if nothing were missing before them. So
/// nothing is sent over a new connection before what is there has been compared.
///
/// A connection that is closed while it is in use is a line of librdkafka's log and no error (`rd_kafka_broker_conn_closed`);
/// one that is refused is an error. Either ends the producer, and its configuration keeps it from connecting again before
/// it is emptied.
impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == CONNECTION_LOST {
            self.broken.store(true, Ordering::Release);
            tracing::debug!(message, "the producer has lost a connection");
        } else if (level as i32) < RDKafkaLogLevel::Notice as i32 && facility != CONFIGURED {
            tracing::warn!(?level, facility, message, "the producer says");
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tell(&error, reason);
        let is_lost = matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown)
        );
        if is_lost {
            self.broken.store(true, Ordering::Release);
        }
        tracing::debug!(%error, reason, "the producer reports");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        match result {
            Ok(message) => {
                telemetry::kafka::answers();
                ticket.window.acknowledge(ticket.position, &ticket.topic, message.offset());
            }
            Err((error, _)) => {
                self.broken.store(true, Ordering::Release);
                ticket.span.failed(error);
                ticket.window.fail(&error.to_string());
            }
        }
    }
}

/// Events of one partition between being enqueued and being acknowledged.
#[derive(Debug)]
pub struct InFlight {
    state: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    /// Each event on its way with the number of its records not acknowledged yet; positions without holes.
    events: VecDeque<(Position, u8)>,
    acknowledged: Position,
    topics: Vec<Acknowledged>,
    /// Offset after the last record of each topic: offsets only rise, or the topic was made again.
    ends: HashMap<String, i64>,
    failed: Option<String>,
}

impl InFlight {
    /// Nothing on its way, everything up to `acknowledged` done.
    #[must_use]
    pub fn after(acknowledged: Position) -> Arc<Self> {
        let window =
            Window { events: VecDeque::new(), acknowledged, topics: Vec::new(), ends: HashMap::new(), failed: None };
        Arc::new(Self { state: Mutex::new(window) })
    }

    /// The topic is known to end there: an acknowledgement of a smaller offset says that it was made again.
    pub fn ends_at(&self, topic: &str, next_offset: i64) {
        self.window().ends.insert(topic.to_owned(), next_offset);
    }

    /// The event at `position`, the next one, is about to be sent as so many records.
    pub fn expect(&self, position: Position, records: u8) {
        let mut window = self.window();
        window.events.push_back((position, records));
        window.settle();
    }

    /// Events on their way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.window().events.len()
    }

    /// Whether nothing is on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything up to here is acknowledged, on every topic concerned.
    #[must_use]
    pub fn acknowledged(&self) -> Position {
        self.window().acknowledged
    }

    /// Last acknowledged offset and position of each topic, since it was last asked for.
    #[must_use]
    pub fn take_topics(&self) -> Vec<Acknowledged> {
        std::mem::take(&mut self.window().topics)
    }

    /// Why it cannot go on, if a delivery has failed.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.window().failed.clone()
    }

    fn acknowledge(&self, position: Position, topic: &str, offset: i64) {
        telemetry::relay::acknowledged(topic);
        let mut window = self.window();
        window.note(topic, offset, position);
        // Behind a failure nothing counts any more, or it would be taken for what was published.
        if window.failed.is_some() {
            return;
        }
        let Some(first) = window.events.front().map(|event| event.0) else {
            return;
        };
        let event = usize::try_from(position - first).ok().and_then(|index| window.events.get_mut(index));
        if let Some((_, records)) = event {
            *records = records.saturating_sub(1);
        }
        window.settle();
    }

    fn fail(&self, why: &str) {
        self.window().failed.get_or_insert_with(|| why.to_owned());
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn note(&mut self, topic: &str, offset: i64, position: Position) {
        match self.ends.get_mut(topic) {
            Some(end) if offset < *end => {
                let end = *end;
                self.failed.get_or_insert_with(|| {
                    format!("{topic} took a record at offset {offset} after {}: it was made again", end - 1)
                });
                return;
            }
            Some(end) => *end = offset + 1,
            None => _ = self.ends.insert(topic.to_owned(), offset + 1),
        }
        match self.topics.iter_mut().find(|known| known.topic == topic) {
            Some(known) => {
                // Of one and the same record: offsets only rise here.
                (known.next_offset, known.position) = (offset + 1, position);
            }
            None => self.topics.push(Acknowledged { topic: topic.to_owned(), next_offset: offset + 1, position }),
        }
    }

    /// The acknowledged prefix: an event behind one that is not acknowledged waits for it.
    fn settle(&mut self) {
        while let Some((position, 0)) = self.events.front().copied() {
            self.acknowledged = position;
            self.events.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
