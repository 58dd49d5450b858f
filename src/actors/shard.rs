//! The aggregates of one log partition: finds, wakes and passivates them, and keeps the warm map.
//!
//! Supervised by `aggregates/<kind>`. A live aggregate costs about 7 kB; one that is idle ends and leaves its state here.
//! An aggregate that crashes is not started again: the next command wakes it from the log. Crashes beyond the window end
//! the shard, its siblings keep serving.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use quick_cache::unsync::Cache;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};

use super::Config;
use super::aggregate::{self, AGGREGATE, Execute, Known, RETRY_AFTER, Resources, Slot, unavailable};
use super::mailbox::{Admission, Envelope, Mailbox, Permits, Refused};
use super::route::Route;
use super::supervisor::ChildSpec;
use crate::commands::{CommandError, Lane};
use crate::domain::Aggregate;
use crate::faults;
use crate::supervision::restart::{Decision, Policy, Record};
use crate::supervision::{ActorPath, CauseClass, Crash, Fact, History, StopReason, What};

/// Kind of this actor.
pub const SHARD: &str = "shard";
/// How often idle aggregates are looked for.
const SWEEP: Duration = Duration::from_millis(250);

/// What a shard can be told.
pub enum Message<A: Aggregate> {
    /// For one of its aggregates.
    Execute(A::Id, Execute<A>),
    /// From itself: look for idle aggregates.
    Sweep,
}

/// Crashed aggregates remembered, so that their next start is told as a restart.
const FALLEN: usize = 1_000;

/// What a shard is made of.
#[derive(Clone)]
pub struct Arguments<A: Aggregate> {
    /// Its log partition.
    pub partition: i16,
    /// Where it stands in the tree.
    pub path: ActorPath,
    /// Where others find it.
    pub route: Route<Message<A>>,
    /// What its aggregates share.
    pub resources: Resources,
    /// How long they live.
    pub config: Config,
    /// How often they may crash.
    pub policy: Policy,
    /// Where facts go.
    pub history: History,
}

struct Woken<A: Aggregate> {
    mailbox: Mailbox<Execute<A>>,
    slot: Slot<A>,
    used_at: Instant,
}

/// What a shard holds.
pub struct State<A: Aggregate> {
    arguments: Arguments<A>,
    live: HashMap<A::Id, Woken<A>>,
    ids: HashMap<ActorId, A::Id>,
    warm: Cache<A::Id, Known<A>>,
    crashes: Record,
    /// Aggregates that crashed and were not asked again since, with the class and the restarts left.
    fallen: HashMap<A::Id, (CauseClass, u32)>,
    since: Instant,
    /// Why it ends, once it does: no aggregate is woken any more.
    ending: Option<String>,
}

struct Shard<A>(std::marker::PhantomData<fn() -> A>);

/// The child that serves one partition's aggregates of kind `A`.
#[must_use]
pub fn spec<A: Aggregate>(arguments: Arguments<A>) -> ChildSpec {
    ChildSpec::new(format!("shard-{}", arguments.partition), SHARD, move |above| start(arguments.clone(), above))
        .independent()
}

async fn start<A: Aggregate>(arguments: Arguments<A>, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let permits = arguments.config.shard_permits;
    let admission = Admission::new(SHARD, Permits { callers: permits, consumers: permits });
    let route = arguments.route.clone();
    let shard = Shard(std::marker::PhantomData);
    let (actor, _) = Actor::spawn_linked(None, shard, arguments, above).await?;
    let tick = admission.clone();
    actor.send_interval(SWEEP, move || tick.control(Message::Sweep));
    route.lead_to(Mailbox::new(actor.clone(), admission));
    Ok(actor.get_cell())
}

impl<A: Aggregate> Actor for Shard<A> {
    type Msg = Envelope<Message<A>>;
    type State = State<A>;
    type Arguments = Arguments<A>;

    async fn pre_start(
        &self,
        _me: ActorRef<Self::Msg>,
        arguments: Self::Arguments,
    ) -> Result<State<A>, ActorProcessingErr> {
        let warm = Cache::new(arguments.config.warm);
        Ok(State {
            arguments,
            live: HashMap::new(),
            ids: HashMap::new(),
            warm,
            crashes: Record::default(),
            fallen: HashMap::new(),
            since: Instant::now(),
            ending: None,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut State<A>,
    ) -> Result<(), ActorProcessingErr> {
        let (message, handling) = envelope.open();
        match message {
            Message::Execute(id, execute) => {
                if let Err(crash) = faults::actor(SHARD) {
                    // A shard ends like every supervisor: its children first, and never by an error of its own.
                    let (_, why) = Crash::read(&crash);
                    state.end(&me, why);
                }
                state.execute(&me, id, execute).await;
            }
            Message::Sweep => state.passivate_idle(),
        }
        handling.done();
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut State<A>,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(cell, ..) => state.forget(cell.get_id()),
            SupervisionEvent::ActorFailed(cell, error) => {
                let (class, why) = Crash::read(error.as_ref());
                state.crashed(&me, cell.get_id(), class, &why);
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        state.stop_when_empty(&me);
        Ok(())
    }

    async fn post_stop(&self, _me: ActorRef<Self::Msg>, state: &mut State<A>) -> Result<(), ActorProcessingErr> {
        // ractor kills the children of an actor that ends, and one of them may be waiting for its append.
        let woken: Vec<_> = std::mem::take(&mut state.live).into_values().collect();
        for one in &woken {
            one.mailbox.actor().stop(Some(StopReason::Ordered.to_string()));
        }
        for one in woken {
            // One that does not end in time has its outcome looked up by whoever asks again.
            _ = one.mailbox.actor().wait(Some(RETRY_AFTER * 5)).await;
        }
        Ok(())
    }
}

impl<A: Aggregate> State<A> {
    async fn execute(&mut self, me: &ActorRef<Envelope<Message<A>>>, id: A::Id, execute: Execute<A>) {
        if self.ending.is_some() {
            _ = execute.reply.send(Err(unavailable()));
            return;
        }
        let lane = execute.request.lane;
        let execute = match self.forward(&id, lane, execute) {
            Ok(()) => return,
            Err(execute) => execute,
        };
        match self.wake(me, id.clone()).await {
            Ok(()) => {
                if let Err(execute) = self.forward(&id, lane, execute) {
                    _ = execute.reply.send(Err(unavailable()));
                }
            }
            Err(error) => {
                tracing::error!(
                    stream_id = A::stream_id(&id),
                    correlation_id = execute.request.meta.correlation_id.map(tracing::field::display),
                    %error,
                    "an aggregate could not be woken"
                );
                _ = execute.reply.send(Err(unavailable()));
            }
        }
    }

    /// Gives the command back if no aggregate of that id is awake.
    fn forward(&mut self, id: &A::Id, lane: Lane, execute: Execute<A>) -> Result<(), Execute<A>> {
        let Some(woken) = self.live.get_mut(id) else {
            return Err(execute);
        };
        woken.used_at = Instant::now();
        match woken.mailbox.try_send(lane, execute) {
            Ok(()) => Ok(()),
            Err(Refused::Full(execute)) => {
                _ = execute.reply.send(Err(CommandError::Overloaded { retry_after: RETRY_AFTER }));
                Ok(())
            }
            Err(Refused::Closed(execute)) => {
                // It has crashed and the news is on its way: what it knew is not to be trusted.
                if let Some(woken) = self.live.remove(id) {
                    self.ids.remove(&woken.mailbox.actor().get_id());
                }
                Err(execute)
            }
        }
    }

    async fn wake(&mut self, me: &ActorRef<Envelope<Message<A>>>, id: A::Id) -> Result<(), SpawnErr> {
        let slot = Slot::default();
        let arguments = aggregate::Arguments {
            id: id.clone(),
            partition: self.arguments.partition,
            known: self.warm.remove(&id).map(|(_, known)| known),
            slot: slot.clone(),
            resources: self.arguments.resources.clone(),
        };
        let mailbox = aggregate::start(arguments, me.get_cell()).await?;
        if let Some((class, budget_left)) = self.fallen.remove(&id) {
            // An aggregate is started again when it is asked again: there is nothing it would do meanwhile.
            let path = self.arguments.path.child(&id.to_string());
            let fact = Fact::now(path, AGGREGATE, What::Restarted, "asked again after its crash");
            self.arguments.history.record(fact.cause(class).backoff(Duration::ZERO).budget_left(budget_left));
        }
        self.ids.insert(mailbox.actor().get_id(), id.clone());
        self.live.insert(id, Woken { mailbox, slot, used_at: Instant::now() });
        Ok(())
    }

    /// Only this shard sends to its aggregates, so one without a message unfinished can be ended without losing any.
    fn passivate_idle(&mut self) {
        let idle = self.arguments.config.idle;
        let resting: Vec<A::Id> = self
            .live
            .iter()
            .filter(|(_, woken)| woken.used_at.elapsed() > idle && woken.mailbox.admission().depth() == 0)
            .map(|(id, _)| id.clone())
            .collect();
        for id in resting {
            let Some(woken) = self.live.remove(&id) else {
                continue;
            };
            self.ids.remove(&woken.mailbox.actor().get_id());
            woken.mailbox.actor().stop(Some(StopReason::Done.to_string()));
            let known = woken.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(known) = known {
                self.warm.insert(id, known);
            }
        }
    }

    fn forget(&mut self, actor: ActorId) {
        if let Some(id) = self.ids.remove(&actor)
            && self.live.get(&id).is_some_and(|woken| woken.mailbox.actor().get_id() == actor)
        {
            self.live.remove(&id);
        }
    }

    fn crashed(&mut self, me: &ActorRef<Envelope<Message<A>>>, actor: ActorId, class: CauseClass, why: &str) {
        let id = self.ids.get(&actor).cloned();
        let name = id.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        self.forget(actor);
        let now = self.since.elapsed();
        let verdict = self.crashes.decide(&self.arguments.policy, class, now, rand::random::<f64>());
        let path = self.arguments.path.child(&name);
        let fact = Fact::now(path, AGGREGATE, What::Crashed, why).cause(class).budget_left(verdict.budget_left);
        self.arguments.history.record(fact);
        if let Some(id) = id.filter(|_| self.fallen.len() < FALLEN) {
            self.fallen.insert(id, (class, verdict.budget_left));
        }
        if verdict.decision == Decision::Escalate && self.ending.is_none() {
            self.end(me, format!("aggregates crashed more often than allowed, last {name}: {why}"));
        }
    }

    fn end(&mut self, me: &ActorRef<Envelope<Message<A>>>, why: String) {
        let path = self.arguments.path.clone();
        self.arguments.history.record(Fact::now(path, SHARD, What::Escalated, &why).cause(CauseClass::Bug));
        self.ending = Some(why);
        for woken in self.live.values() {
            woken.mailbox.actor().stop(Some(StopReason::Ordered.to_string()));
        }
        self.stop_when_empty(me);
    }

    fn stop_when_empty(&self, me: &ActorRef<Envelope<Message<A>>>) {
        if let Some(why) = &self.ending
            && self.live.is_empty()
        {
            me.stop(Some(StopReason::Escalated(why.clone()).to_string()));
        }
    }
}
