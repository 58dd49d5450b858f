//! Takes one partition of a subscription from its feed, batch by batch, through `subscription::pass`.
//!
//! Supervised by its subscription. It claims the checkpoint first, so that an older worker is fenced, and begins where
//! the checkpoint says: a crash anywhere between two commits repeats nothing and loses nothing.

mod idle;
mod suspect;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use uuid::Uuid;

use self::suspect::Suspect;
use super::mailbox::{Admission, Envelope, Permits};
use super::supervisor::ChildSpec;
use crate::event_store::Pressure;
use crate::subscription::{
    AdmitError, Admitted, Batch, Claim, Entry, Feed, FeedError, Lane, Place, Progress, Record, Subscription, Work,
    Worker, admit, attempts, checkpoint, parking, pass,
};
use crate::supervision::{Crash, StopReason};
use crate::{faults, telemetry};

/// Kind of this actor.
pub const WORKER: &str = "worker";
/// Longest wait for a batch: what a stop may have to wait.
const WAIT: Duration = Duration::from_millis(200);
/// Pause before a partition with a hole is looked at again.
const HOLE_PAUSE: Duration = Duration::from_secs(10);

/// How many times as long as its last transaction a partition rests.
const REST_FACTOR: u32 = 2;
/// How long a place may stay in memory while events pass by.
const SAVE_EVERY: Duration = Duration::from_millis(100);

/// Makes the feed of one partition, anew for each worker.
pub type MakeFeed = Arc<dyn Fn() -> Box<dyn Feed> + Send + Sync>;

/// What a worker is made of.
#[derive(Clone)]
pub struct Arguments {
    /// Its name among its siblings.
    pub name: String,
    /// What it works for.
    pub subscription: Arc<Subscription>,
    /// Which partition of which source.
    pub lane: Lane,
    /// Who it works as: this process.
    pub owner: Uuid,
    /// Where its batches come from.
    pub feed: MakeFeed,
    /// Most events of one transaction.
    pub batch_events: usize,
    /// Whether customers wait for the writers.
    pub pressure: Pressure,
}

/// What a worker tells itself.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// Go on.
    Step,
}

/// What a worker holds.
pub struct State {
    arguments: Arguments,
    admission: Admission,
    held: Option<Held>,
}

/// A partition whose checkpoint is claimed.
struct Held {
    claim: Claim,
    feed: Box<dyn Feed>,
    next_offset: i64,
    position: i64,
    work: Option<Work>,
    /// Records behind a hole that is being filled.
    rest: Vec<Record>,
    /// Looks in a row that found nothing.
    silent_looks: u32,
    /// How often in a row the log had what the topic did not deliver.
    silent_fills: u32,
    renewed_at: Instant,
    /// The batch being worked on is as big as it may be: more waits already.
    is_full: bool,
    /// Nothing is read before, so that events gather.
    resting_until: Instant,
    /// The place has moved in memory only, past events that change nothing here.
    unsaved: bool,
    suspect: Suspect,
    /// Whether streams of this partition may be set aside.
    aside: AtomicBool,
}

enum Next {
    Now,
    After(Duration),
    /// Another worker has the partition, or the feed has ended.
    End,
}

struct PartitionWorker;

/// The child that works one partition.
#[must_use]
pub fn spec(arguments: Arguments) -> ChildSpec {
    ChildSpec::new(arguments.name.clone(), WORKER, move |above| start(arguments.clone(), above)).independent()
}

async fn start(arguments: Arguments, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let admission = Admission::new(WORKER, Permits { callers: 0, consumers: 0 });
    let (actor, _) = Actor::spawn_linked(None, PartitionWorker, (arguments, admission.clone()), above).await?;
    // It can only fail if the actor has ended already, which its supervisor hears.
    _ = actor.send_message(admission.control(Message::Step));
    Ok(actor.get_cell())
}

impl Actor for PartitionWorker {
    type Msg = Envelope<Message>;
    type State = State;
    type Arguments = (Arguments, Admission);

    async fn pre_start(
        &self,
        _me: ActorRef<Self::Msg>,
        (arguments, admission): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State { arguments, admission, held: None })
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (Message::Step, handling) = envelope.open();
        faults::actor(WORKER)?;
        let next = state.step().await?;
        handling.done();
        let admission = state.admission.clone();
        match next {
            Next::Now => _ = me.send_message(admission.control(Message::Step)),
            Next::After(pause) => _ = me.send_after(pause, move || admission.control(Message::Step)),
            Next::End => me.stop(Some(StopReason::Done.to_string())),
        }
        Ok(())
    }

    async fn post_stop(&self, _me: ActorRef<Self::Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        if let Some(held) = &state.held {
            // Another one's now, if it was given away.
            held.tell_at_hand(&state.arguments, None);
        }
        // Given back, so that whoever follows knows that this process has not died over it.
        if let Some(held) = &state.held {
            let released =
                checkpoint::release(&state.arguments.lane, held.claim.epoch, &state.arguments.subscription.db);
            if let Err(error) = released.await {
                tracing::debug!(lane = ?state.arguments.lane, %error, "a place was not given back");
            }
        }
        Ok(())
    }
}

impl State {
    async fn step(&mut self) -> Result<Next, Crash> {
        if self.held.is_none() {
            self.held = claim(&self.arguments).await?;
        }
        match &mut self.held {
            None => Ok(Next::After(self.arguments.subscription.config.lease / 3)),
            Some(held) if held.work.is_some() => held.work(&self.arguments).await,
            Some(held) => held.read(&self.arguments).await,
        }
    }
}

/// Claims the checkpoint and begins the feed there; `None` while another process has the lease.
async fn claim(arguments: &Arguments) -> Result<Option<Held>, Crash> {
    let Arguments { subscription, lane, owner, .. } = arguments;
    let claimed = match subscription.lease {
        Some(lease) => checkpoint::claim_lease(lane, *owner, lease, &subscription.db).await,
        None => checkpoint::claim(lane, *owner, &subscription.db).await.map(Some),
    };
    let Some(claim) = claimed.map_err(Crash::dependency_down)? else {
        return Ok(None);
    };
    let mut feed = (arguments.feed)();
    feed.begin(claim.next_offset, claim.position).await.map_err(Crash::dependency_down)?;
    if subscription.handler.is_some() {
        attempts::charge(lane, *owner, &subscription.db).await.map_err(Crash::dependency_down)?;
    }
    let aside =
        subscription.handler.is_some() && parking::any(lane, &subscription.db).await.map_err(Crash::dependency_down)?;
    tracing::debug!(?lane, ?claim, "worker begins");
    Ok(Some(Held {
        claim,
        feed,
        next_offset: claim.next_offset,
        position: claim.position,
        work: None,
        rest: Vec::new(),
        silent_looks: 0,
        silent_fills: 0,
        renewed_at: Instant::now(),
        is_full: false,
        resting_until: Instant::now(),
        unsaved: false,
        suspect: Suspect::of(claim, arguments.batch_events),
        aside: AtomicBool::new(aside),
    }))
}

/// The last position of a batch of the log that changes no row of a view: no transaction is worth it.
fn passes_by(subscription: &Subscription, batch: &Batch) -> Option<i64> {
    let Batch::Events(events) = batch else {
        return None;
    };
    let changes =
        subscription.handler.is_some() || events.iter().any(|event| subscription.folds.read(&event.event_type));
    if changes { None } else { events.last().map(|event| event.position) }
}

/// When the first event of a batch was appended.
fn oldest(admitted: &Admitted) -> Option<DateTime<Utc>> {
    admitted.entries.iter().find_map(|(entry, ..)| match entry {
        Entry::Event(delivered) => Some(delivered.event.recorded_at),
        Entry::Foreign { .. } => None,
    })
}

impl Held {
    async fn read(&mut self, arguments: &Arguments) -> Result<Next, Crash> {
        let pause = self.resting_until.saturating_duration_since(Instant::now());
        if !pause.is_zero() {
            return Ok(Next::After(pause));
        }
        let limit = arguments.pressure.allowance(arguments.batch_events);
        if !self.rest.is_empty() {
            let rest = Batch::Records(std::mem::take(&mut self.rest));
            return self.admit(arguments, rest, limit).await;
        }
        let batch = match self.feed.next(limit, WAIT).await {
            Ok(batch) => batch,
            Err(FeedError::Hole(hole)) => {
                telemetry::alarm::raise(telemetry::alarm::LOG_HOLE, &arguments.lane.to_string(), &hole.to_string());
                return Ok(Next::After(HOLE_PAUSE));
            }
            Err(FeedError::Ended) => return Ok(Next::End),
            Err(down @ FeedError::Down(_)) => return Err(Crash::dependency_down(down)),
        };
        if batch.is_empty() {
            self.tell_at_hand(arguments, None);
            self.suspect.look(arguments, self.claim.epoch).await?;
            return match self.missing(arguments).await? {
                Some(admitted) => Ok(self.begin(arguments, admitted, limit)),
                None => self.keep(arguments).await,
            };
        }
        self.silent_looks = 0;
        self.silent_fills = 0;
        if let Some(position) = passes_by(&arguments.subscription, &batch) {
            self.position = position;
            self.next_offset = position;
            self.unsaved = true;
            return if self.renewed_at.elapsed() < SAVE_EVERY { Ok(Next::Now) } else { self.keep(arguments).await };
        }
        self.admit(arguments, batch, limit).await
    }

    async fn admit(&mut self, arguments: &Arguments, batch: Batch, limit: usize) -> Result<Next, Crash> {
        let Arguments { lane, subscription, .. } = arguments;
        let at =
            Place { next_offset: self.next_offset, position: self.position, sought_until: self.claim.sought_until };
        let judged = admit::admit(batch, lane, at, &subscription.db).await;
        match judged {
            Ok(admitted) => Ok(self.begin(arguments, admitted, limit)),
            Err(hole @ AdmitError::Hole { .. }) => {
                telemetry::alarm::raise(telemetry::alarm::TOPIC_HOLE, &lane.to_string(), &hole.to_string());
                // The batch is gone from the feed: a new worker reads it again from the checkpoint.
                Err(Crash::dependency_down(hole))
            }
            Err(down @ AdmitError::Postgres(_)) => Err(Crash::dependency_down(down)),
        }
    }

    fn begin(&mut self, arguments: &Arguments, mut admitted: Admitted, limit: usize) -> Next {
        let lane = &arguments.lane;
        telemetry::alarm::clear(telemetry::alarm::LOG_HOLE, &lane.to_string());
        telemetry::alarm::clear(telemetry::alarm::TOPIC_HOLE, &lane.to_string());
        telemetry::subscription::duplicates(lane, "position", admitted.repeats.len() as u64);
        telemetry::subscription::filled(lane, admitted.filled);
        if admitted.is_made_again {
            telemetry::subscription::made_again(lane, self.next_offset);
        }
        self.tell_at_hand(arguments, oldest(&admitted));
        self.rest = std::mem::take(&mut admitted.rest);
        self.is_full = admitted.entries.len() >= limit;
        let (work, wait) = self.suspect.work(arguments, admitted, limit);
        self.work = Some(work);
        if wait.is_zero() { Next::Now } else { Next::After(wait) }
    }

    /// Of the log everybody can see how much is left; what waits in a topic only its reader knows.
    fn tell_at_hand(&self, arguments: &Arguments, oldest: Option<DateTime<Utc>>) {
        if arguments.subscription.lease.is_none() {
            telemetry::subscription::at_hand(&arguments.lane, oldest);
        }
    }

    /// Moves the place past events that changed nothing.
    async fn save(&mut self, arguments: &Arguments) -> Result<Next, Crash> {
        let Arguments { lane, subscription, .. } = arguments;
        pass::skip(subscription, lane, self.claim.epoch, (self.next_offset, self.position), &[])
            .await
            .map_err(Crash::dependency_down)?;
        self.unsaved = false;
        self.renewed_at = Instant::now();
        Ok(Next::Now)
    }

    async fn work(&mut self, arguments: &Arguments) -> Result<Next, Crash> {
        let Some(work) = &mut self.work else {
            return Ok(Next::Now);
        };
        let started = Instant::now();
        let Arguments { subscription, lane, owner, .. } = arguments;
        let (epoch, aside) = (self.claim.epoch, &self.aside);
        let worker = Worker { subscription, lane, epoch, owner: *owner, aside };
        match work.step(worker).await {
            Progress::Continue => Ok(Next::Now),
            Progress::Pause { after, waiting } => {
                tracing::debug!(lane = ?arguments.lane, ?after, waiting, "worker waits");
                Ok(Next::After(after))
            }
            Progress::Done { next_offset, position } => {
                self.next_offset = next_offset;
                self.position = position;
                self.work = None;
                self.unsaved = false;
                self.renewed_at = Instant::now();
                self.feed.committed(next_offset);
                if !self.is_full {
                    let rest = started.elapsed() * REST_FACTOR;
                    self.resting_until = Instant::now() + rest.min(arguments.subscription.config.rest_max);
                }
                Ok(Next::Now)
            }
            // A view's lease may come back; a consumer's partition is another's until Kafka says otherwise.
            Progress::Fenced if arguments.subscription.lease.is_some() => {
                Err(Crash::dependency_down("another process has taken the lease"))
            }
            Progress::Fenced => Ok(Next::End),
        }
    }
}
