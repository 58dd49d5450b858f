//! The only way to send to an actor: bounded by permits, so that depth, age of the head and admission are one thing.
//!
//! ractor's own mailboxes have no bound. A permit travels with its message and comes back when the message has been
//! handled, failed, or was lost with its actor. Callers and consumers have permits of their own, so that a consumer
//! catching up never refuses a customer. What an actor tells itself (timers, ticks) needs none.
//!
//! ```text
//! let (message, handling) = envelope.open();
//! match message { … }          // `?` here leaves the message counted as failed
//! handling.done();
//! ```

use std::fmt;
use std::sync::Arc;

use ractor::{ActorRef, MessagingErr};

use crate::commands::Lane;
pub use crate::supervision::workload::{Handling, KindSnapshot, Permits, kinds, publish_gauges};
use crate::supervision::workload::{Meter, Share};

/// What a mailbox lets in. Made before its actor, which needs it to send to itself.
#[derive(Clone, Debug)]
pub struct Admission {
    meter: Arc<Meter>,
}

impl Admission {
    /// For a new actor of this kind.
    #[must_use]
    pub fn new(kind: &'static str, permits: Permits) -> Self {
        Self { meter: Meter::register(kind, permits) }
    }

    /// A message without permit, for timers: `me.send_after(pause, move || admission.control(Message::Tick))`.
    pub fn control<M>(&self, message: M) -> Envelope<M> {
        Envelope { message, handling: self.meter.admit_freely() }
    }

    /// Messages accepted and not finished, the one being handled included.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.meter.depth()
    }

    /// Age of the oldest of them.
    #[must_use]
    pub fn oldest_age(&self) -> std::time::Duration {
        self.meter.oldest_age()
    }
}

/// A message with its permit: what the actor's `Msg` is.
#[derive(Debug)]
pub struct Envelope<M> {
    message: M,
    handling: Handling,
}

impl<M> Envelope<M> {
    /// Begins the handling of the message: its time is counted until the second part is dropped.
    pub fn open(mut self) -> (M, Handling) {
        self.handling.open();
        (self.message, self.handling)
    }
}

/// Sends to one actor. A clone is the same mailbox.
pub struct Mailbox<M: Send + 'static> {
    actor: ActorRef<Envelope<M>>,
    admission: Admission,
}

impl<M: Send + 'static> Mailbox<M> {
    /// The mailbox of `actor`, which was given the same `admission`.
    #[must_use]
    pub fn new(actor: ActorRef<Envelope<M>>, admission: Admission) -> Self {
        Self { actor, admission }
    }

    /// Sends if there is a permit left in `lane`.
    ///
    /// # Errors
    /// [`Refused`], with the message.
    pub fn try_send(&self, lane: Lane, message: M) -> Result<(), Refused<M>> {
        let share = match lane {
            Lane::Caller => Share::Callers,
            Lane::Consumer => Share::Consumers,
        };
        match self.admission.meter.admit(share) {
            Some(handling) => self.post(Envelope { message, handling }),
            None => Err(Refused::Full(message)),
        }
    }

    /// Sends without a permit: for what an actor and its supervisor tell it, never for work from outside.
    ///
    /// # Errors
    /// [`Refused::Closed`], with the message.
    pub fn control(&self, message: M) -> Result<(), Refused<M>> {
        self.post(self.admission.control(message))
    }

    /// What it lets in, and how full it is.
    #[must_use]
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// The actor, to stop it or to wait for its end.
    #[must_use]
    pub fn actor(&self) -> &ActorRef<Envelope<M>> {
        &self.actor
    }

    fn post(&self, envelope: Envelope<M>) -> Result<(), Refused<M>> {
        match self.actor.send_message(envelope) {
            Ok(()) => Ok(()),
            Err(MessagingErr::SendErr(Envelope { message, handling })) => {
                handling.give_back();
                Err(Refused::Closed(message))
            }
            Err(MessagingErr::ChannelClosed | MessagingErr::InvalidActorType) => {
                unreachable!("ractor gives the message of a local, typed actor back")
            }
        }
    }
}

impl<M: Send + 'static> Clone for Mailbox<M> {
    fn clone(&self) -> Self {
        Self { actor: self.actor.clone(), admission: self.admission.clone() }
    }
}

impl<M: Send + 'static> fmt::Debug for Mailbox<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("actor", &self.actor.get_id()).finish_non_exhaustive()
    }
}

/// Why a message was not taken, with the message.
#[derive(PartialEq, Eq)]
pub enum Refused<M> {
    /// Every permit of its lane is in use.
    Full(M),
    /// The actor has ended.
    Closed(M),
}

impl<M> Refused<M> {
    /// The message, to be sent elsewhere or again.
    pub fn into_message(self) -> M {
        match self {
            Self::Full(message) | Self::Closed(message) => message,
        }
    }
}

impl<M> fmt::Debug for Refused<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full",
            Self::Closed(_) => "Closed",
        })
    }
}

impl<M> fmt::Display for Refused<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the actor has as many messages as it may have; send it again later",
            Self::Closed(_) => "the actor has ended; find the one that took its place and send it there",
        })
    }
}

impl<M> std::error::Error for Refused<M> {}

#[cfg(test)]
mod tests;
