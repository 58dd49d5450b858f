//! Writes supervision's history to Postgres and forgets what the ledger need not remember.
//!
//! Supervised by the root. Nothing waits for it: while Postgres is away, history waits in memory.

use std::time::{Duration, Instant};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use sqlx::PgPool;

use super::mailbox::{Admission, Envelope, Permits};
use super::supervisor::ChildSpec;
use crate::faults;
use crate::subscription::dedup;
use crate::supervision::{Crash, History};

/// Kind of this actor.
pub const HOUSEKEEPER: &str = "housekeeper";
/// How late a fact may reach Postgres.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// How often the ledger is pruned, and by how much at once: short statements, since a long one slows every append.
const PRUNE_EVERY: Duration = Duration::from_secs(60);
const PRUNE: i64 = 10_000;

/// What the housekeeper is made of.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// What it writes.
    pub history: History,
    /// How long the ledger remembers.
    pub ledger_keep: Duration,
    /// Postgres.
    pub db: PgPool,
}

/// What it tells itself.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// Do what is due.
    Tick,
}

/// What it holds.
pub struct State {
    arguments: Arguments,
    pruned_at: Instant,
}

struct Housekeeper;

/// The child that keeps house.
#[must_use]
pub fn spec(arguments: Arguments) -> ChildSpec {
    ChildSpec::new(HOUSEKEEPER, HOUSEKEEPER, move |above| start(arguments.clone(), above))
}

async fn start(arguments: Arguments, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let admission = Admission::new(HOUSEKEEPER, Permits { callers: 0, consumers: 0 });
    let (actor, _) = Actor::spawn_linked(None, Housekeeper, arguments, above).await?;
    actor.send_interval(FLUSH_EVERY, move || admission.control(Message::Tick));
    Ok(actor.get_cell())
}

impl Actor for Housekeeper {
    type Msg = Envelope<Message>;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(&self, _me: ActorRef<Self::Msg>, arguments: Arguments) -> Result<State, ActorProcessingErr> {
        Ok(State { arguments, pruned_at: Instant::now() })
    }

    async fn handle(
        &self,
        _me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (Message::Tick, handling) = envelope.open();
        faults::actor(HOUSEKEEPER)?;
        state.tick().await?;
        handling.done();
        Ok(())
    }
}

impl State {
    async fn tick(&mut self) -> Result<(), Crash> {
        let Arguments { history, ledger_keep, db } = &self.arguments;
        // Its own crash would be one more fact to write: while Postgres is away it simply has not got to it yet.
        if let Err(error) = history.flush(db).await {
            tracing::debug!(%error, "supervision's history waits for Postgres");
            return Ok(());
        }
        if self.pruned_at.elapsed() >= PRUNE_EVERY {
            self.pruned_at = Instant::now();
            dedup::prune(*ledger_keep, PRUNE, db).await.map_err(Crash::dependency_down)?;
        }
        Ok(())
    }
}
