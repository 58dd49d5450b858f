//! Gives this process' signs of life, and shows the others what its actors do and what is wrong here.
//!
//! Supervised by the root. Nothing waits for it: while Postgres is away it is silent, and so it is seen.

use std::time::{Duration, Instant};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use sqlx::PgPool;

use super::mailbox::{Admission, Envelope, Permits};
use super::supervisor::ChildSpec;
use crate::faults;
use crate::supervision::{History, Node, alarm, node};
use crate::telemetry;

/// Kind of this actor.
pub const HEARTBEAT: &str = "heartbeat";
/// How old a summary may be.
const SUMMARISE_EVERY: Duration = Duration::from_secs(3);
/// How often what is long gone is forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// What it is made of.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// This process.
    pub node: Node,
    /// How often.
    pub every: Duration,
    /// What its actors do.
    pub history: History,
    /// Postgres.
    pub db: PgPool,
}

/// What it tells itself.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// A sign of life is due.
    Tick,
}

/// What it holds.
pub struct State {
    arguments: Arguments,
    summarised_at: Option<Instant>,
    pruned_at: Instant,
}

struct Heartbeat;

/// The child that gives signs of life.
#[must_use]
pub fn spec(arguments: Arguments) -> ChildSpec {
    ChildSpec::new(HEARTBEAT, HEARTBEAT, move |above| start(arguments.clone(), above))
}

async fn start(arguments: Arguments, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let admission = Admission::new(HEARTBEAT, Permits { callers: 0, consumers: 0 });
    let every = arguments.every;
    let (actor, _) = Actor::spawn_linked(None, Heartbeat, arguments, above).await?;
    // It can only fail if the actor has ended already, which its supervisor hears.
    _ = actor.send_message(admission.control(Message::Tick));
    actor.send_interval(every, move || admission.control(Message::Tick));
    Ok(actor.get_cell())
}

impl Actor for Heartbeat {
    type Msg = Envelope<Message>;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(&self, _me: ActorRef<Self::Msg>, arguments: Arguments) -> Result<State, ActorProcessingErr> {
        Ok(State { arguments, summarised_at: None, pruned_at: Instant::now() })
    }

    async fn handle(
        &self,
        _me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (Message::Tick, handling) = envelope.open();
        faults::actor(HEARTBEAT)?;
        if let Err(error) = state.tick().await {
            tracing::debug!(%error, "no sign of life reaches Postgres");
        }
        handling.done();
        Ok(())
    }

    async fn post_stop(&self, _me: ActorRef<Self::Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        if let Err(error) = node::stop(&state.arguments.node, &state.arguments.db).await {
            tracing::debug!(%error, "the others will see this process as silent, not as stopped");
        }
        Ok(())
    }
}

impl State {
    async fn tick(&mut self) -> sqlx::Result<()> {
        let Arguments { node: me, history, db, .. } = &self.arguments;
        telemetry::alarm::settle();
        node::beat(me, db).await?;
        let alarms = telemetry::alarm::unstored();
        if !alarms.is_empty() {
            alarm::save(&alarms, me, db).await?;
            telemetry::alarm::stored(&alarms);
        }
        if self.summarised_at.is_none_or(|at| at.elapsed() >= SUMMARISE_EVERY) {
            node::summarise(me, history, db).await?;
            self.summarised_at = Some(Instant::now());
        }
        if self.pruned_at.elapsed() >= PRUNE_EVERY {
            self.pruned_at = Instant::now();
            node::prune(db).await?;
            alarm::prune(db).await?;
        }
        Ok(())
    }
}
