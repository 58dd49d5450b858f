//! One subscription: its feed and its workers.
//!
//! A view has a worker for each log partition, under a lease. A consumer joins its Kafka group; each partition it is
//! assigned gets a worker, and loses it when it is revoked.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use uuid::Uuid;

use super::mailbox::{Admission, Envelope, Permits};
use super::parked_worker;
use super::partition_worker::{self, MakeFeed};
use super::supervisor::{self, ChildSpec, Handle};
use crate::event_store::{self, Pressure};
use crate::faults;
use crate::kafka::{self, Group, GroupEvent, KafkaFeed, TopicPartition, Topics};
use crate::subscription::{Lane, LogFeed, Subscription, checkpoint};
use crate::supervision::{self, ActorPath, Crash, History};

/// Kind of the actor that speaks with a Kafka group.
pub const FEED: &str = "feed";

/// What all subscriptions of a process share.
#[derive(Clone)]
pub struct Shared {
    /// Who they work as: this process.
    pub owner: Uuid,
    /// Where `subscriptions` stands in the tree.
    pub path: ActorPath,
    /// How the log is followed.
    pub event_store: event_store::Config,
    /// How Kafka is reached.
    pub kafka: kafka::Config,
    /// The topics.
    pub topics: Topics,
    /// Whether customers wait for the writers.
    pub pressure: Pressure,
    /// What is done about crashes.
    pub supervision: supervision::Config,
    /// Where facts go.
    pub history: History,
}

/// The child that keeps a log-fed view up to date.
#[must_use]
pub fn view(subscription: Subscription, shared: &Shared) -> ChildSpec {
    let subscription = Arc::new(subscription);
    let path = shared.path.child(&subscription.name);
    let workers = subscription.partitions.all().map(|partition| {
        let (bell, db, config) = (subscription.bell.clone(), subscription.db.clone(), shared.event_store.clone());
        let feed: MakeFeed =
            Arc::new(move || Box::new(LogFeed::new(partition, bell.clone(), db.clone(), config.clone())));
        let lane = Lane { subscription: subscription.name.clone(), source: checkpoint::LOG.to_owned(), partition };
        partition_worker::spec(partition_worker::Arguments {
            name: format!("worker-{partition}"),
            batch_events: subscription.config.view_batch_events,
            subscription: subscription.clone(),
            lane,
            owner: shared.owner,
            feed,
            // A view appends nothing, so it never stands in a customer's way.
            pressure: Pressure::default(),
        })
    });
    let children = workers.collect();
    ChildSpec::supervisor(supervisor::Arguments::new(path, children, &shared.supervision, shared.history.clone()))
        .independent()
}

/// The child that runs a consumer: a supervisor whose first child is the feed, which asks it for workers.
#[must_use]
pub fn consumer(subscription: Subscription, topics: &'static [&'static str], shared: Shared) -> ChildSpec {
    let subscription = Arc::new(subscription);
    let name = subscription.name.clone();
    ChildSpec::new(name, supervisor::SUPERVISOR, move |above| {
        let (subscription, shared) = (subscription.clone(), shared.clone());
        async move {
            let path = shared.path.child(&subscription.name);
            let arguments = supervisor::Arguments::new(path, Vec::new(), &shared.supervision, shared.history.clone());
            let handle = Handle::start_below(arguments, above).await?;
            let workers = handle.clone();
            let parked = parked_worker::spec(parked_worker::Arguments {
                subscription: subscription.clone(),
                owner: shared.owner,
            });
            let feed = ChildSpec::new(FEED, FEED, move |above| {
                let arguments = FeedArguments {
                    subscription: subscription.clone(),
                    topics,
                    shared: shared.clone(),
                    workers: workers.clone(),
                };
                start(arguments, above)
            });
            // A child that does not start is tried again by its supervisor, which has said so.
            _ = handle.start_child(feed).await;
            _ = handle.start_child(parked).await;
            Ok(handle.cell())
        }
    })
    .independent()
}

#[derive(Clone)]
struct FeedArguments {
    subscription: Arc<Subscription>,
    topics: &'static [&'static str],
    shared: Shared,
    workers: Handle,
}

/// What the feed of a consumer can be told.
#[derive(Debug)]
enum Message {
    /// From itself: join the group.
    Join,
    /// From the group's thread.
    Group(GroupEvent),
    /// From itself, now and then.
    Pulse,
}

struct State {
    arguments: FeedArguments,
    admission: Admission,
    group: Option<Group>,
    assigned: Vec<TopicPartition>,
}

struct FeedActor;

/// How often the feed shows that it lives.
const PULSE: Duration = Duration::from_secs(1);

async fn start(arguments: FeedArguments, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let admission = Admission::new(FEED, Permits { callers: 0, consumers: 0 });
    let (actor, _) = Actor::spawn_linked(None, FeedActor, (arguments, admission.clone()), above).await?;
    // It can only fail if the actor has ended already, which its supervisor hears.
    _ = actor.send_message(admission.control(Message::Join));
    let pulse = admission.clone();
    actor.send_interval(PULSE, move || pulse.control(Message::Pulse));
    Ok(actor.get_cell())
}

impl Actor for FeedActor {
    type Msg = Envelope<Message>;
    type State = State;
    type Arguments = (FeedArguments, Admission);

    async fn pre_start(
        &self,
        _me: ActorRef<Self::Msg>,
        (arguments, admission): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State { arguments, admission, group: None, assigned: Vec::new() })
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (message, handling) = envelope.open();
        if let Err(crash) = faults::actor(FEED) {
            state.leave();
            return Err(crash.into());
        }
        match message {
            Message::Join => state.join(&me).await?,
            Message::Group(GroupEvent::Assigned(places)) => state.assigned(places).await,
            Message::Group(GroupEvent::Revoked(places)) => state.revoked(&places).await,
            Message::Group(GroupEvent::Failed(why)) => {
                state.leave();
                return Err(Crash::dependency_down(why).into());
            }
            Message::Pulse => state.look_after_workers().await,
        }
        handling.done();
        Ok(())
    }

    async fn post_stop(&self, _me: ActorRef<Self::Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.leave();
        Ok(())
    }
}

impl Drop for State {
    /// An actor that crashed runs no `post_stop`, and its group must not outlive it.
    fn drop(&mut self) {
        self.leave();
    }
}

impl State {
    async fn join(&mut self, me: &ActorRef<Envelope<Message>>) -> Result<(), Crash> {
        let FeedArguments { subscription, topics, shared, workers } = &self.arguments;
        shared.topics.ensure().await.map_err(Crash::dependency_down)?;
        // Workers of a feed that crashed hold on to a group that is gone.
        for worker in workers.inspect().await.iter().filter(|child| child.kind == partition_worker::WORKER) {
            workers.stop_child(&worker.name).await;
        }
        let (me, admission) = (me.clone(), self.admission.clone());
        let tell = move |event| {
            // A feed that has ended has left its group.
            _ = me.send_message(admission.control(Message::Group(event)));
        };
        let group = Group::join(&subscription.name, topics, &shared.kafka, tell).map_err(Crash::dependency_down)?;
        self.group = Some(group);
        Ok(())
    }

    async fn assigned(&mut self, places: Vec<TopicPartition>) {
        for place in places {
            self.start_worker(&place).await;
            if !self.assigned.contains(&place) {
                self.assigned.push(place);
            }
        }
    }

    async fn start_worker(&self, place: &TopicPartition) {
        let FeedArguments { subscription, shared, workers, .. } = &self.arguments;
        let (Some(group), Ok(partition)) = (self.group.clone(), i16::try_from(place.partition)) else {
            return;
        };
        let name = worker_name(place);
        workers.stop_child(&name).await;
        let lane = Lane {
            subscription: subscription.name.clone(),
            source: shared.kafka.bare(&place.topic).to_owned(),
            partition,
        };
        let of = place.clone();
        let spec = partition_worker::spec(partition_worker::Arguments {
            name,
            subscription: subscription.clone(),
            lane,
            owner: shared.owner,
            feed: Arc::new(move || Box::new(KafkaFeed::new(group.clone(), of.clone()))),
            batch_events: subscription.config.batch_events,
            pressure: shared.pressure.clone(),
        });
        // A worker that does not start is tried again by its supervisor; an ending one starts none.
        _ = workers.start_child(spec).await;
    }

    async fn revoked(&mut self, places: &[TopicPartition]) {
        self.assigned.retain(|place| !places.contains(place));
        for place in places {
            self.arguments.workers.stop_child(&worker_name(place)).await;
        }
    }

    /// A worker that was fenced has ended; if its partition is still assigned here, it gets a new one.
    async fn look_after_workers(&self) {
        let children = self.arguments.workers.inspect().await;
        for place in &self.assigned {
            let name = worker_name(place);
            if !children.iter().any(|child| child.name == name) {
                self.start_worker(place).await;
            }
        }
    }

    fn leave(&mut self) {
        if let Some(group) = self.group.take() {
            group.stop();
        }
    }
}

fn worker_name(place: &TopicPartition) -> String {
    format!("worker-{}-{}", place.topic, place.partition)
}
