//! The only supervisor: starts its children in order, starts again what crashed, gives up, stops in reverse order;
//! neighbours that are [`ChildSpec::independent`] are stopped together.
//!
//! What to do about a crash is `supervision::restart`'s to decide; this obeys, and each step is a fact in the history.
//!
//! - Supervised by another supervisor, the root by nobody: [`Root::ended`] tells the process.
//! - It ends when told to ([`Message::Shutdown`]), or when a child spent its budget: then it stops its children, waits
//!   for them, and stops itself with a reason that its own supervisor takes for a crash. It never ends by `Err`, because
//!   ractor would kill its children then.
//! - Children are stopped, never killed. One that does not end in time is let go: its stop is in its mailbox, so it
//!   ends with the message it is handling.
//! - It waits for a child's `pre_start` (bounded), so an actor does its waiting for servers later than there.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use ractor::concurrency::oneshot;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr, SupervisionEvent};
use serde::Serialize;

use crate::supervision::restart::Policy;
use crate::supervision::{ActorPath, CauseClass, Config, Crash, History, Status, StopReason};

mod child;
mod root;
mod state;
#[cfg(test)]
mod tests;

pub use root::{Handle, Root, start_root};
use state::{Exit, State};

/// Kind of every supervisor.
pub const SUPERVISOR: &str = "supervisor";

/// Starts one actor, linked to the cell it is given (`spawn_linked`), and returns it.
pub type StartFn = Arc<dyn Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> + Send + Sync>;

/// A child: what it is called and how it is started, the first time and again.
#[derive(Clone)]
pub struct ChildSpec {
    /// Its name, once among its siblings.
    pub name: String,
    /// Its kind: label of its metrics.
    pub kind: &'static str,
    /// It may be stopped at the same time as neighbours that are independent, too.
    pub is_independent: bool,
    /// Starts it.
    pub start: StartFn,
}

impl ChildSpec {
    /// A child started by `start`.
    pub fn new<F, Started>(name: impl Into<String>, kind: &'static str, start: F) -> Self
    where
        F: Fn(ActorCell) -> Started + Send + Sync + 'static,
        Started: Future<Output = Result<ActorCell, SpawnErr>> + Send + 'static,
    {
        Self { name: name.into(), kind, is_independent: false, start: Arc::new(move |cell| Box::pin(start(cell))) }
    }

    /// It needs none of its neighbours that are independent, too, while it ends: nobody waits for one before the next is
    /// told. All others are stopped one by one.
    #[must_use]
    pub fn independent(mut self) -> Self {
        self.is_independent = true;
        self
    }

    /// A supervisor below another, named by the last part of its path.
    #[must_use]
    pub fn supervisor(arguments: Arguments) -> Self {
        Self::new(arguments.path.name().to_owned(), SUPERVISOR, move |above| {
            let arguments = arguments.clone();
            async move { Ok(Handle::start_below(arguments, above).await?.cell()) }
        })
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildSpec").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What a supervisor is made of.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// Where it stands.
    pub path: ActorPath,
    /// Its first children, in the order they are started.
    pub children: Vec<ChildSpec>,
    /// How often a child may crash.
    pub policy: Policy,
    /// Longest a child may take to start.
    pub start_timeout: Duration,
    /// Longest wait for a child to end when this one gives up.
    pub stop_timeout: Duration,
    /// Where its facts go.
    pub history: History,
}

impl Arguments {
    /// As configured.
    #[must_use]
    pub fn new(path: ActorPath, children: Vec<ChildSpec>, config: &Config, history: History) -> Self {
        Self {
            path,
            children,
            policy: config.policy(),
            start_timeout: config.start_timeout,
            stop_timeout: config.stop_timeout,
            history,
        }
    }
}

/// What a supervisor can be told.
#[derive(Debug)]
pub enum Message {
    /// Start one more child, last in order. If its start fails it is tried again like any other.
    StartChild(ChildSpec, RpcReplyPort<Result<ActorCell, StartRefused>>),
    /// Stop a child; answered when it has ended, or was not there.
    StopChild(String, RpcReplyPort<()>),
    /// Stop all children in reverse order, independent neighbours together, waiting for each, then end; answered then.
    Shutdown {
        /// Whoever waits.
        reply: Option<RpcReplyPort<()>>,
        /// Longest wait for each child; supervisors among them take what theirs take.
        child_timeout: Duration,
    },
    /// What its children are doing.
    Inspect(RpcReplyPort<Vec<ChildSnapshot>>),
    /// From itself: the pause of a child is over.
    Retry {
        /// Which child.
        name: String,
        /// Of which pause; an older one counts for nothing.
        pause: u64,
    },
    /// From itself: a child was waited for long enough.
    Overdue(ActorId),
}

/// Why a child does not run after [`Message::StartChild`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartRefused {
    /// Another child has the name.
    #[error("a child of that name is there already; stop it first or choose another name")]
    NameTaken,
    /// The supervisor ends or has ended.
    #[error("the supervisor is ending; ask the one that takes its place")]
    Ending,
    /// Its start failed.
    #[error("its start failed and is tried again without being asked ({0})")]
    Failed(String),
}

/// One child as its supervisor sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChildSnapshot {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// What it does at present.
    pub status: Status,
    /// How often it was started again.
    pub restarts: u64,
    /// Restarts it may still spend.
    pub budget_left: u32,
}

/// Arguments and, for the root, who is told of the end.
#[derive(Debug)]
struct Launch {
    arguments: Arguments,
    ended: Option<ractor::concurrency::OneshotSender<StopReason>>,
}

#[derive(Debug)]
struct Supervisor;

impl Actor for Supervisor {
    type Msg = Message;
    type State = State;
    type Arguments = Launch;

    async fn pre_start(&self, me: ActorRef<Message>, launch: Launch) -> Result<State, ActorProcessingErr> {
        let mut children = launch.arguments.children.clone();
        refuse_same_names(&children)?;
        let mut state = State::new(launch);
        for spec in children.drain(..) {
            // A start that fails is the state's to try again; only an escalation ends the round.
            if state.add(&me, spec).await == Err(StartRefused::Ending) {
                break;
            }
        }
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::StartChild(spec, reply) => _ = reply.send(state.add(&me, spec).await),
            Message::StopChild(name, reply) => state.stop_child(&me, &name, reply),
            Message::Shutdown { reply, child_timeout } => state.shut_down(&me, reply, child_timeout),
            Message::Inspect(reply) => _ = reply.send(state.snapshot()),
            Message::Retry { name, pause } => state.retry(&me, &name, pause).await,
            Message::Overdue(id) => state.let_go(&me, id),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<Message>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(cell, its_state, reason) => {
                // What the child held (connections, locks) goes before anything is started in its place.
                drop(its_state);
                state.child_ended(&me, cell.get_id(), Exit::from(StopReason::read(reason.as_deref())));
            }
            SupervisionEvent::ActorFailed(cell, error) => {
                let (class, why) = Crash::read(error.as_ref());
                state.child_ended(&me, cell.get_id(), Exit::Crashed(class, why));
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }

    async fn post_stop(&self, me: ActorRef<Message>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.stop_what_is_left(&me).await;
        state.say_goodbye();
        Ok(())
    }
}

fn refuse_same_names(children: &[ChildSpec]) -> Result<(), Crash> {
    let mut names: Vec<&str> = children.iter().map(|spec| spec.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Crash {
            class: CauseClass::Bug,
            source: format!("two children are named {}; give each a name of its own", pair[0]).into(),
        }),
        None => Ok(()),
    }
}
