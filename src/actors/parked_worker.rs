//! Takes up the parked streams of one consumer that are due, head first, through the same steps as a batch.
//!
//! Supervised by its subscription; one in each process that runs it. A stream is taken for a while, so several processes
//! share the work, and one that ends leaves its stream to the others.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use uuid::Uuid;

use super::mailbox::{Admission, Envelope, Permits};
use super::supervisor::ChildSpec;
use crate::subscription::lone::{self, Ended};
use crate::subscription::{Subscription, hold, parking};
use crate::supervision::Crash;
use crate::{faults, telemetry};

/// Kind of this actor.
pub const PARKED_WORKER: &str = "parked_worker";
/// Pause between two looks while nothing is due.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a stream stays with a process that has ended: longer than any transaction lives.
const LEASE: Duration = Duration::from_secs(30);

/// What it is made of.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// Whose streams.
    pub subscription: Arc<Subscription>,
    /// Who takes them: this process.
    pub owner: Uuid,
}

/// What it tells itself.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// Look for what is due.
    Look,
}

struct ParkedWorker;

/// The child that takes up parked streams.
#[must_use]
pub fn spec(arguments: Arguments) -> ChildSpec {
    ChildSpec::new("parked", PARKED_WORKER, move |above| start(arguments.clone(), above)).independent()
}

async fn start(arguments: Arguments, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let admission = Admission::new(PARKED_WORKER, Permits { callers: 0, consumers: 0 });
    let (actor, _) = Actor::spawn_linked(None, ParkedWorker, (arguments, admission.clone()), above).await?;
    // It can only fail if the actor has ended already, which its supervisor hears.
    _ = actor.send_message(admission.control(Message::Look));
    Ok(actor.get_cell())
}

impl Actor for ParkedWorker {
    type Msg = Envelope<Message>;
    type State = (Arguments, Admission);
    type Arguments = (Arguments, Admission);

    async fn pre_start(
        &self,
        _me: ActorRef<Self::Msg>,
        arguments: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(arguments)
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        (arguments, admission): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (Message::Look, handling) = envelope.open();
        faults::actor(PARKED_WORKER)?;
        let pause = arguments.look().await?;
        handling.done();
        let admission = admission.clone();
        match pause {
            None => _ = me.send_message(admission.control(Message::Look)),
            Some(pause) => _ = me.send_after(pause, move || admission.control(Message::Look)),
        }
        Ok(())
    }
}

impl Arguments {
    /// Takes up one event; answers with the pause before the next look, none if there may be more.
    async fn look(&self) -> Result<Option<Duration>, Crash> {
        let Self { subscription, owner } = self;
        let hold = hold::of(&subscription.name, &subscription.db).await.map_err(Crash::dependency_down)?;
        telemetry::subscription::tripped(
            &subscription.name,
            hold.as_ref().and_then(|hold| hold.tripped_why.as_deref()),
        );
        if hold.is_some() {
            return Ok(Some(PAUSE));
        }
        let head = parking::take(&subscription.name, *owner, LEASE, &subscription.db).await;
        let Some(head) = head.map_err(Crash::dependency_down)? else {
            return Ok(Some(PAUSE));
        };
        match lone::retry(subscription, &head, *owner).await.map_err(Crash::dependency_down)? {
            Ended::Applied { .. } | Ended::Failed(_) | Ended::Lost => Ok(None),
            Ended::Waits(why) => {
                tracing::debug!(subscription = subscription.name, why, "parked streams wait");
                Ok(Some(subscription.config.backoff_max))
            }
        }
    }
}
