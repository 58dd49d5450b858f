//! Publishes one log partition to Kafka, in order, under a lease.
//!
//! Supervised by `log`. Its place moves only past what every topic concerned has acknowledged. Any failed delivery is a
//! crash: it begins anew from its checkpoint with a new producer. A hole in the log stops it with an alarm.

mod comparison;
mod records;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use sqlx::PgPool;
use uuid::Uuid;

use self::records::records_of;
use super::mailbox::{Admission, Envelope, Permits};
use super::supervisor::ChildSpec;
use crate::contracts::{Position, RecordedEvent, topics};
use crate::event_store::{self, Bell, Tail, TailError};
use crate::faults::{self, Defect};
use crate::kafka::{Generation, InFlight, PublishError, Publisher, Record, Topics};
use crate::subscription::Lane;
use crate::subscription::checkpoint::{self, Claim, LOG};
use crate::supervision::Crash;
use crate::telemetry;

/// Kind of this actor, and name of its subscription.
pub use crate::subscription::checkpoint::RELAY;
/// Events read at once.
const PAGE: usize = 1_000;
/// How long the place may stay behind what is acknowledged.
const SAVE_EVERY: Duration = Duration::from_millis(100);
/// How far it may.
const SAVE_AFTER: Position = 1_000;
/// Pause before a partition with a hole is looked at again.
const HOLE_PAUSE: Duration = Duration::from_secs(10);
/// Longest wait for something new.
const WAIT: Duration = Duration::from_millis(200);
/// How often the broker is compared with the log while nothing is published.
const COMPARE_EVERY: Duration = Duration::from_secs(20);
/// Pause before a broker that does not answer is looked for again.
const NO_BROKER_PAUSE: Duration = Duration::from_millis(500);
/// Pause while the producer's queue or the window is full.
const FULL_PAUSE: Duration = Duration::from_millis(2);

/// What a relay is made of.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// Its log partition.
    pub partition: i16,
    /// Who holds its lease: this process.
    pub owner: Uuid,
    /// How long its lease lasts.
    pub lease: Duration,
    /// Most events on their way at once.
    pub in_flight: usize,
    /// Event types that have a topic of their own, too.
    pub mirrored: Arc<[String]>,
    /// The process' producer.
    pub publisher: Arc<Publisher>,
    /// The topics, created by whoever comes first.
    pub topics: Topics,
    /// Postgres.
    pub db: PgPool,
    /// Rung by appends.
    pub bell: Bell,
    /// How the log is followed.
    pub config: event_store::Config,
}

/// What a relay tells itself.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// Go on.
    Step,
}

/// What a relay holds.
pub struct State {
    arguments: Arguments,
    admission: Admission,
    lane: Lane,
    held: Option<Held>,
}

/// A partition whose lease is held.
struct Held {
    claim: Claim,
    producer: Arc<Generation>,
    tail: Tail,
    window: Arc<InFlight>,
    /// Last position enqueued for each topic: the next record's predecessor.
    previous: HashMap<&'static str, Position>,
    saved: Position,
    saved_at: Instant,
    /// Events read and not enqueued yet.
    backlog: VecDeque<Waiting>,
    compared_at: Instant,
}

/// An event on its way into the producer's queue.
struct Waiting {
    event: Arc<RecordedEvent>,
    /// Its records, once the window has been told of it; the sent ones are gone.
    records: Option<VecDeque<Record>>,
}

/// What came of trying to take a partition over.
enum Taken {
    Held(Box<Held>),
    ByAnother,
    /// Kafka holds what the log does not: somebody has to look.
    Stopped,
    /// No broker answers.
    NoBroker,
}

struct Relay;

/// The child that publishes one partition.
#[must_use]
pub fn spec(arguments: Arguments) -> ChildSpec {
    ChildSpec::new(format!("relay-{}", arguments.partition), RELAY, move |above| start(arguments.clone(), above))
        .independent()
}

async fn start(arguments: Arguments, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let admission = Admission::new(RELAY, Permits { callers: 0, consumers: 0 });
    let (actor, _) = Actor::spawn_linked(None, Relay, (arguments, admission.clone()), above).await?;
    // It can only fail if the actor has ended already, which its supervisor hears.
    _ = actor.send_message(admission.control(Message::Step));
    Ok(actor.get_cell())
}

impl Actor for Relay {
    type Msg = Envelope<Message>;
    type State = State;
    type Arguments = (Arguments, Admission);

    async fn pre_start(
        &self,
        _me: ActorRef<Self::Msg>,
        (arguments, admission): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let lane = Lane { subscription: RELAY.to_owned(), source: LOG.to_owned(), partition: arguments.partition };
        Ok(State { arguments, admission, lane, held: None })
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (Message::Step, handling) = envelope.open();
        faults::actor(RELAY)?;
        let pause = state.step().await?;
        handling.done();
        let admission = state.admission.clone();
        if pause.is_zero() {
            _ = me.send_message(admission.control(Message::Step));
        } else {
            me.send_after(pause, move || admission.control(Message::Step));
        }
        Ok(())
    }

    async fn post_stop(&self, _me: ActorRef<Self::Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.hand_over().await;
        Ok(())
    }
}

impl State {
    /// One step; answers with the pause before the next.
    async fn step(&mut self) -> Result<Duration, Crash> {
        match &mut self.held {
            None => match self.take_over().await? {
                Taken::Held(held) => {
                    self.held = Some(*held);
                    Ok(Duration::ZERO)
                }
                // Another process publishes this partition; it may go away.
                Taken::ByAnother => Ok(self.arguments.lease / 3),
                Taken::Stopped => Ok(HOLE_PAUSE),
                Taken::NoBroker => Ok(NO_BROKER_PAUSE),
            },
            Some(held) if held.has_lost_its_broker() => {
                // Nothing is on its way, so nothing has failed: the lease stays, and the broker is compared anew.
                self.held = None;
                self.arguments.topics.doubt().await;
                Ok(Duration::ZERO)
            }
            Some(held) => held.advance(&self.arguments, &self.lane).await,
        }
    }

    async fn take_over(&self) -> Result<Taken, Crash> {
        let Arguments { partition, db, .. } = &self.arguments;
        if let Err(error) = self.arguments.topics.ensure().await {
            telemetry::kafka::away(&error.to_string());
            return Ok(Taken::NoBroker);
        }
        let claim = checkpoint::claim_lease(&self.lane, self.arguments.owner, self.arguments.lease, db);
        let Some(claim) = claim.await.map_err(Crash::dependency_down)? else {
            return Ok(Taken::ByAnother);
        };
        let place = self.lane.to_string();
        // The connection first: the comparison holds only for the broker it was made with.
        let producer = match self.arguments.publisher.connected().await {
            Ok(producer) => producer,
            Err(error) => {
                telemetry::kafka::away(&error.to_string());
                return Ok(Taken::NoBroker);
            }
        };
        let mut compared = comparison::compare(&self.arguments, &self.lane, claim.position).await?;
        if let Some(why) = &compared.ahead {
            telemetry::alarm::raise(telemetry::alarm::KAFKA_AHEAD, &place, why);
            checkpoint::release(&self.lane, claim.epoch, db).await.map_err(Crash::dependency_down)?;
            return Ok(Taken::Stopped);
        }
        telemetry::alarm::clear(telemetry::alarm::KAFKA_AHEAD, &place);
        comparison::republish(&self.arguments, &self.lane, claim, &producer, &mut compared).await?;
        let window = InFlight::after(claim.position);
        compared.teach(&window);
        let tail = Tail::after(claim.position, *partition, &self.arguments.bell, db.clone(), &self.arguments.config);
        tracing::info!(partition, position = claim.position, epoch = claim.epoch, "relay has the lease");
        Ok(Taken::Held(Box::new(Held {
            claim,
            producer,
            tail,
            window,
            previous: compared.previous,
            saved: claim.position,
            saved_at: Instant::now(),
            backlog: VecDeque::new(),
            compared_at: Instant::now(),
        })))
    }

    /// Waits a little for what is on its way, saves, and lets the next owner in.
    async fn hand_over(&mut self) {
        let Some(held) = &mut self.held else { return };
        let deadline = Instant::now() + Duration::from_secs(3);
        while !held.window.is_empty() && held.window.failure().is_none() && Instant::now() < deadline {
            tokio::time::sleep(FULL_PAUSE).await;
        }
        let saved = held.save(&self.arguments, &self.lane).await;
        let released = checkpoint::release(&self.lane, held.claim.epoch, &self.arguments.db).await;
        if let (Err(error), _) | (_, Err(Crash { source: error, .. })) =
            (saved.map_err(|crash| crash.source), released.map_err(Crash::dependency_down))
        {
            tracing::warn!(partition = self.lane.partition, %error, "the relay's lease was not given back; it runs out");
        }
    }
}

impl Held {
    fn has_lost_its_broker(&self) -> bool {
        self.producer.is_broken() && self.window.is_empty() && self.window.failure().is_none()
    }

    async fn advance(&mut self, arguments: &Arguments, lane: &Lane) -> Result<Duration, Crash> {
        if self.producer.is_broken() {
            // What is still on its way fails now, and is not sent over another connection.
            self.producer.give_up();
        }
        if let Some(why) = self.window.failure() {
            telemetry::relay::resumed(lane.partition, self.saved, &why);
            arguments.topics.doubt().await;
            return Err(Crash::dependency_down(why));
        }
        if self.backlog.is_empty() && self.window.len() < arguments.in_flight {
            let is_settled = self.window.is_empty() && self.place() == self.saved;
            if is_settled && self.compared_at.elapsed() >= COMPARE_EVERY {
                self.compare(arguments, lane).await?;
            }
            let wait = if is_settled { WAIT } else { FULL_PAUSE * 5 };
            match self.tail.next(PAGE, wait).await {
                Ok(events) => {
                    telemetry::alarm::clear(telemetry::alarm::LOG_HOLE, &lane.to_string());
                    self.backlog.extend(events.into_iter().map(|event| Waiting { event, records: None }));
                }
                Err(hole @ TailError::Hole { .. }) => {
                    telemetry::alarm::raise(telemetry::alarm::LOG_HOLE, &lane.to_string(), &hole.to_string());
                    return Ok(HOLE_PAUSE);
                }
                Err(down @ TailError::Postgres(..)) => return Err(Crash::dependency_down(down)),
            }
        }
        let is_full = !self.enqueue(arguments)?;
        self.save_if_due(arguments, lane).await?;
        let is_full = is_full || (!self.backlog.is_empty() || self.window.len() >= arguments.in_flight);
        Ok(if is_full { FULL_PAUSE } else { Duration::ZERO })
    }

    /// A topic may be lost while nothing is published, and nobody would notice.
    async fn compare(&mut self, arguments: &Arguments, lane: &Lane) -> Result<(), Crash> {
        self.compared_at = Instant::now();
        let compared = comparison::compare(arguments, lane, self.saved).await?;
        if compared.is_intact() { Ok(()) } else { Err(Crash::dependency_down(compared.why())) }
    }

    /// Enqueues the backlog in position order; `false` if the producer or the window is full.
    fn enqueue(&mut self, arguments: &Arguments) -> Result<bool, Crash> {
        if self.backlog.is_empty() {
            return Ok(true);
        }
        while let Some(Waiting { event, records }) = self.backlog.front_mut() {
            let topic = topics::of_stream(&event.stream_id);
            if records.is_none() {
                if self.window.len() >= arguments.in_flight {
                    return Ok(false);
                }
                let made = records_of(event, topic, &self.previous, &arguments.mirrored);
                let count = u8::try_from(made.len()).expect("an event has two topics at most");
                self.window.expect(event.position, count);
                *records = Some(made);
            }
            let left = records.get_or_insert_default();
            while let Some(record) = left.front() {
                match self.producer.send(record, event.position, &self.window) {
                    Ok(()) => _ = left.pop_front(),
                    Err(PublishError::Full) => return Ok(false),
                    Err(broken) => return Err(Crash::dependency_down(broken)),
                }
            }
            if let Some(topic) = topic {
                self.previous.insert(topic, event.position);
            }
            self.backlog.pop_front();
        }
        faults::point("relay.published");
        Ok(true)
    }

    /// Where the place belongs: behind the acknowledged prefix, unless a defect is planted.
    fn place(&self) -> Position {
        let too_early = faults::planted(Defect::CheckpointBeforeAcknowledgement);
        if too_early { self.tail.position() } else { self.window.acknowledged() }
    }

    async fn save_if_due(&mut self, arguments: &Arguments, lane: &Lane) -> Result<(), Crash> {
        let behind = self.place() - self.saved;
        let is_behind = behind > 0 && (behind >= SAVE_AFTER || self.saved_at.elapsed() >= SAVE_EVERY);
        if is_behind || self.saved_at.elapsed() >= arguments.lease / 3 {
            self.save(arguments, lane).await?;
        }
        Ok(())
    }

    /// Moves the place to the acknowledged prefix, which also keeps the lease.
    async fn save(&mut self, arguments: &Arguments, lane: &Lane) -> Result<(), Crash> {
        let place = self.place();
        let topics = self.window.take_topics();
        let saved = async {
            let mut tx = arguments.db.begin().await?;
            let lease = Some(arguments.lease);
            let held = checkpoint::advance(lane, self.claim.epoch, place, place, lease, &mut tx).await?;
            if held && !topics.is_empty() {
                checkpoint::note_published(RELAY, lane.partition, &topics, &mut tx).await?;
            }
            tx.commit().await?;
            Ok::<bool, sqlx::Error>(held)
        };
        if saved.await.map_err(Crash::dependency_down)? {
            self.saved = place;
            self.saved_at = Instant::now();
            Ok(())
        } else {
            Err(Crash::dependency_down("another process has taken the lease"))
        }
    }
}
