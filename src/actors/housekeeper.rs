//! Writes supervision's history to Postgres, and forgets what history and ledger need not remember.
//!
//! Supervised by the root. Nothing waits for it: while Postgres is away, history waits in memory.

use std::time::{Duration, Instant};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use sqlx::PgPool;

use super::mailbox::{Admission, Envelope, Permits};
use super::supervisor::ChildSpec;
use crate::subscription::{attempts, dedup};
use crate::supervision::{Crash, History};
use crate::{faults, telemetry};

/// Kind of this actor.
pub const HOUSEKEEPER: &str = "housekeeper";
/// How late a fact may reach Postgres.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// How often what is too old is looked for.
const PURGE_EVERY: Duration = Duration::from_secs(10);
/// How long a purge may take before the flush is due again; what is left is done after it. With half of it spent at rest
/// this forgets some 30,000 rows a second, several times what consumers enter at full load.
const PURGE_BUDGET: Duration = Duration::from_secs(2);

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
    purge_due: Instant,
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
        Ok(State { arguments, purge_due: Instant::now() + PURGE_EVERY })
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
        if Instant::now() < self.purge_due {
            return Ok(());
        }
        history.purge(db).await.map_err(Crash::dependency_down)?;
        let purged = dedup::purge(*ledger_keep, PURGE_BUDGET, db).await.map_err(Crash::dependency_down)?;
        telemetry::subscription::ledger_purged(&purged);
        attempts::forget(*ledger_keep, db).await.map_err(Crash::dependency_down)?;
        if purged.is_done {
            self.purge_due = Instant::now() + PURGE_EVERY;
        }
        Ok(())
    }
}
