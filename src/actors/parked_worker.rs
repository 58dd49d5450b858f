//! Takes up the parked streams of one consumer that are due, head first, and the letters that operators hand back, through
//! the same steps as a batch.
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
use crate::subscription::{Subscription, again, hold, parking, replay};
use crate::supervision::Crash;
use crate::{faults, telemetry};

/// Kind of this actor.
pub const PARKED_WORKER: &str = "parked_worker";
/// Pause between two looks while nothing is due.
const PAUSE: Duration = Duration::from_millis(500);
/// Pause after another process was faster.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
/// How many leases of a partition a stream stays with a process that has ended. One that lives and is slow loses nothing:
/// whoever has the stream's row in its transaction is not disturbed, and without it nothing is committed.
const LEASES: u32 = 4;

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
        if let Some(due) = replay::next(&subscription.name, &subscription.db).await.map_err(Crash::dependency_down)? {
            let ended = again::replay(subscription, &due).await.map_err(Crash::dependency_down)?;
            return Ok(self.pause_after(ended));
        }
        let head =
            parking::take(&subscription.name, *owner, subscription.config.lease * LEASES, &subscription.db).await;
        let Some(head) = head.map_err(Crash::dependency_down)? else {
            return Ok(Some(PAUSE));
        };
        let ended = lone::retry(subscription, &head, *owner).await.map_err(Crash::dependency_down)?;
        Ok(self.pause_after(ended))
    }

    fn pause_after(&self, ended: Ended) -> Option<Duration> {
        match ended {
            Ended::Applied { .. } | Ended::Failed(_) => None,
            // Another process is at it: it need not be watched.
            Ended::Lost => Some(SHORT_PAUSE),
            Ended::Waits(why) => {
                tracing::debug!(subscription = self.subscription.name, why, "parked streams wait");
                Some(self.subscription.config.backoff_max)
            }
        }
    }
}
