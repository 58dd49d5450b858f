//! A consumer group's thread: the only code that touches librdkafka's consumer.
//!
//! It polls for rebalances, splits the queue of each assigned partition, and hands records to workers that have given a
//! credit. Without a credit nothing is polled, the queue fills to its bound, and librdkafka stops fetching: no pause, no
//! rebalance, bounded memory. A partition is assigned with the checkpoint's explicit offset, after its worker has taken
//! its epoch; the rebalance callback itself only records, and never waits for Postgres.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError, mpsc as thread_mpsc};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::TopicPartitionList;
use tokio::sync::mpsc;

use super::Config;
use super::callbacks::{Context, Reads, Rebalance};
use crate::subscription::Record;

/// Longest sleep of the thread: a lost wake-up costs this much.
const SWEEP: Duration = Duration::from_millis(20);
/// A client that is newer is not given up for delivering nothing: it may be the broker that has nothing yet.
const NEW_FOR: Duration = Duration::from_secs(30);
/// Most bytes handed over at once.
const BATCH_BYTES: usize = 1 << 20;

/// A partition of a topic on the broker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopicPartition {
    /// The topic, with its prefix.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
}

/// What the group tells its subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupEvent {
    /// These partitions are ours now: each needs a worker.
    Assigned(Vec<TopicPartition>),
    /// These are ours no more.
    Revoked(Vec<TopicPartition>),
    /// The group cannot go on.
    Failed(String),
}

/// What feeds and the subscription tell the thread.
#[derive(Debug)]
pub(super) enum Order {
    Begin { place: TopicPartition, next_offset: i64, batches: mpsc::Sender<Vec<Record>> },
    Credit { place: TopicPartition, records: usize },
    Store { place: TopicPartition, next_offset: i64 },
    Stuck { place: TopicPartition },
    Stop,
}

/// A running group. A clone is the same group; it leaves when told to [`Group::stop`].
#[derive(Clone, Debug)]
pub struct Group {
    orders: thread_mpsc::Sender<Order>,
    thread: Thread,
}

impl Group {
    /// Joins the group `name` for `topics` and reports to `tell`, which must not block.
    ///
    /// # Errors
    /// What librdkafka says of the configuration.
    pub fn join(
        name: &str,
        topics: &[&str],
        config: &Config,
        tell: impl Fn(GroupEvent) + Send + Sync + 'static,
    ) -> Result<Self, KafkaError> {
        let rebalances = Arc::new(Mutex::new(Vec::new()));
        let context = Context {
            rebalances: rebalances.clone(),
            subscription: name.to_owned(),
            reads: Arc::default(),
            stranded: AtomicU32::new(0),
        };
        let reads = context.reads.clone();
        let consumer: BaseConsumer<Context> = config.consumer(name).create_with_context(context)?;
        let topics: Vec<String> = topics.iter().map(|topic| config.prefixed(topic)).collect();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics)?;
        let (orders, inbox) = thread_mpsc::channel();
        let membership = Membership {
            consumer: Arc::new(consumer),
            rebalances,
            reads,
            tell: Box::new(tell),
            inbox,
            pending: HashMap::new(),
            lanes: HashMap::new(),
            joined_at: Instant::now(),
        };
        let handle = thread::Builder::new()
            .name(format!("kafka {name}"))
            .spawn(move || membership.run())
            .map_err(|error| KafkaError::ClientCreation(format!("no thread for the group: {error}")))?;
        Ok(Self { orders, thread: handle.thread().clone() })
    }

    /// Leaves the group, so that its partitions go to others at once.
    pub fn stop(&self) {
        _ = self.tell(Order::Stop);
    }

    /// `false` if the thread has ended.
    pub(super) fn tell(&self, order: Order) -> bool {
        let told = self.orders.send(order).is_ok();
        self.thread.unpark();
        told
    }
}

/// An assigned partition whose worker has begun.
struct Lane {
    queue: PartitionQueue<Context>,
    batches: mpsc::Sender<Vec<Record>>,
    credit: usize,
}

/// What the thread owns.
struct Membership {
    consumer: Arc<BaseConsumer<Context>>,
    rebalances: Arc<Mutex<Vec<Rebalance>>>,
    reads: Reads,
    tell: Box<dyn Fn(GroupEvent) + Send + Sync>,
    inbox: thread_mpsc::Receiver<Order>,
    /// Assigned, and waiting for a worker to say where to begin.
    pending: HashMap<TopicPartition, ()>,
    lanes: HashMap<TopicPartition, Lane>,
    joined_at: Instant,
}

impl Membership {
    fn run(mut self) {
        loop {
            self.poll();
            if self.consumer.context().is_stranded() {
                (self.tell)(GroupEvent::Failed("its client has forgotten every broker".to_owned()));
                break;
            }
            self.rebalance();
            if !self.obey() {
                break;
            }
            let delivered = self.deliver();
            if !delivered {
                thread::park_timeout(SWEEP);
            }
        }
        // Everything of librdkafka ends on this thread: first the queues, then the consumer, which leaves the group.
        self.lanes.clear();
    }

    /// Serves rebalances and errors. Records come by the split queues only.
    fn poll(&mut self) {
        while let Some(outcome) = self.consumer.poll(Duration::ZERO) {
            match outcome {
                Ok(message) => {
                    // Not ours to read: its queue was split off, so this is a record of an assignment that has ended.
                    tracing::debug!(topic = message.topic(), partition = message.partition(), "stray record");
                }
                Err(error) if is_fatal(&error) => (self.tell)(GroupEvent::Failed(error.to_string())),
                Err(error) => tracing::debug!(%error, "the group reports"),
            }
        }
    }

    fn rebalance(&mut self) {
        let rebalances = std::mem::take(&mut *self.rebalances.lock().unwrap_or_else(PoisonError::into_inner));
        for rebalance in rebalances {
            match rebalance {
                Rebalance::Assigned(places) if places.is_empty() => self.assign(&[]),
                Rebalance::Assigned(places) => {
                    self.pending.extend(places.iter().cloned().map(|place| (place, ())));
                    (self.tell)(GroupEvent::Assigned(places));
                }
                Rebalance::Revoked(places) => {
                    for place in &places {
                        self.forget(place);
                    }
                    (self.tell)(GroupEvent::Revoked(places));
                }
            }
        }
    }

    fn forget(&mut self, place: &TopicPartition) {
        self.pending.remove(place);
        self.lanes.remove(place);
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).remove(place);
    }

    /// `false` when told to stop.
    fn obey(&mut self) -> bool {
        let mut begun = Vec::new();
        loop {
            match self.inbox.try_recv() {
                Ok(Order::Begin { place, next_offset, batches }) => begun.push((place, next_offset, batches)),
                Ok(Order::Credit { place, records }) => {
                    // A worker that was started again begins anew and gives its credit right behind: the lane of the
                    // one before it must not swallow that credit.
                    if let Some(last) = begun.iter().position(|(known, ..)| *known == place) {
                        let begins = begun.split_off(last);
                        self.begin(begins);
                    }
                    if let Some(lane) = self.lanes.get_mut(&place) {
                        lane.credit = records;
                    }
                }
                Ok(Order::Store { place, next_offset }) => self.store(&place, next_offset),
                Ok(Order::Stuck { place }) => {
                    if self.lanes.contains_key(&place) && self.joined_at.elapsed() >= NEW_FOR {
                        let TopicPartition { topic, partition } = place;
                        (self.tell)(GroupEvent::Failed(format!(
                            "its client delivers nothing of {topic} {partition}, although the broker has taken more"
                        )));
                        return false;
                    }
                }
                Ok(Order::Stop) | Err(thread_mpsc::TryRecvError::Disconnected) => return false,
                Err(thread_mpsc::TryRecvError::Empty) => break,
            }
        }
        self.begin(begun);
        true
    }

    /// Splits the queues of new partitions and assigns them at their offsets; an assigned one is put to its new place.
    fn begin(&mut self, begun: Vec<(TopicPartition, i64, mpsc::Sender<Vec<Record>>)>) {
        let mut assign = Vec::new();
        for (place, next_offset, batches) in begun {
            let is_new = self.pending.remove(&place).is_some();
            if !is_new && self.lanes.remove(&place).is_none() {
                // Revoked meanwhile: dropping its sender ends the worker.
                continue;
            }
            let Some(mut queue) = self.consumer.split_partition_queue(&place.topic, place.partition) else {
                (self.tell)(GroupEvent::Failed(format!(
                    "the queue of {} {} cannot be split",
                    place.topic, place.partition
                )));
                continue;
            };
            let me = thread::current();
            queue.set_nonempty_callback(move || me.unpark());
            self.lanes.insert(place.clone(), Lane { queue, batches, credit: 0 });
            self.reads.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), next_offset);
            if is_new {
                assign.push((place, next_offset));
            } else if let Err(error) =
                self.consumer.seek(&place.topic, place.partition, Offset::Offset(next_offset), Duration::from_secs(5))
            {
                (self.tell)(GroupEvent::Failed(format!(
                    "{} {} cannot be sought: {error}",
                    place.topic, place.partition
                )));
            }
        }
        if !assign.is_empty() {
            self.assign(&assign);
        }
    }

    fn assign(&mut self, places: &[(TopicPartition, i64)]) {
        let mut list = TopicPartitionList::new();
        for (place, next_offset) in places {
            // An offset is 0 or more, which is all this could refuse.
            _ = list.add_partition_offset(&place.topic, place.partition, Offset::Offset(*next_offset));
        }
        if let Err(error) = self.consumer.incremental_assign(&list) {
            (self.tell)(GroupEvent::Failed(format!("partitions cannot be assigned: {error}")));
        }
    }

    fn store(&mut self, place: &TopicPartition, next_offset: i64) {
        if let Some(read) = self.reads.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place) {
            *read = next_offset;
        }
        let mut list = TopicPartitionList::new();
        _ = list.add_partition_offset(&place.topic, place.partition, Offset::Offset(next_offset));
        // Refused for a partition that was revoked meanwhile, which is as well.
        _ = self.consumer.store_offsets(&list);
    }

    /// Hands each worker with a credit what is there; `true` if anything was.
    fn deliver(&mut self) -> bool {
        let mut delivered = false;
        let mut gone = Vec::new();
        for (place, lane) in &mut self.lanes {
            if lane.credit == 0 {
                continue;
            }
            let records = drain(&lane.queue, lane.credit);
            if records.is_empty() {
                continue;
            }
            lane.credit = 0;
            delivered = true;
            // One credit, one batch: the channel is empty. Closed means that its worker has ended.
            if lane.batches.try_send(records).is_err() {
                gone.push(place.clone());
            }
        }
        for place in gone {
            if let Some(lane) = self.lanes.get_mut(&place) {
                lane.credit = 0;
            }
        }
        delivered
    }
}

fn drain(queue: &PartitionQueue<Context>, most: usize) -> Vec<Record> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    while records.len() < most && bytes < BATCH_BYTES {
        match queue.poll(Duration::ZERO) {
            Some(Ok(message)) => {
                bytes += message.payload_len();
                records.push(record(&message));
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "a partition reports");
                break;
            }
            None => break,
        }
    }
    records
}

/// Copied out at once: no message of librdkafka outlives its poll.
pub(super) fn record(message: &BorrowedMessage<'_>) -> Record {
    Record {
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: message.headers().map(headers).unwrap_or_default(),
        time: message.timestamp().to_millis().and_then(chrono::DateTime::from_timestamp_millis),
    }
}

/// What stands in for the name of a header that is no UTF-8.
const UNREADABLE: &str = "ordo-unreadable-header";

/// Anybody may write a header whose name is no UTF-8, and the client library panics over it. Such a header is none of an
/// event's, so the others decide what the record is; its value cannot be had.
fn headers(headers: &BorrowedHeaders) -> Vec<(String, Option<Vec<u8>>)> {
    let read = |place| {
        let header = headers.get(place);
        (header.key.to_owned(), header.value.map(<[u8]>::to_vec))
    };
    (0..headers.count())
        .map(|place| {
            std::panic::catch_unwind(AssertUnwindSafe(|| read(place))).unwrap_or_else(|_| (UNREADABLE.to_owned(), None))
        })
        .collect()
}

fn is_fatal(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::Fatal))
}
