//! Where an actor is to be found while others hold on to its place: it may be started again.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::mailbox::{Mailbox, Refused};
use crate::commands::Lane;

/// The place of one actor. A clone is the same place.
pub struct Route<M: Send + 'static>(Arc<ArcSwapOption<Mailbox<M>>>);

impl<M: Send + 'static> Default for Route<M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<M: Send + 'static> Route<M> {
    /// From now on messages go to `mailbox`.
    pub fn lead_to(&self, mailbox: Mailbox<M>) {
        self.0.store(Some(Arc::new(mailbox)));
    }

    /// Sends to whoever is there.
    ///
    /// # Errors
    /// [`Refused`], with the message; `Closed` too while nobody is there.
    pub fn try_send(&self, lane: Lane, message: M) -> Result<(), Refused<M>> {
        match &*self.0.load() {
            Some(mailbox) => mailbox.try_send(lane, message),
            None => Err(Refused::Closed(message)),
        }
    }
}

impl<M: Send + 'static> Clone for Route<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Send + 'static> fmt::Debug for Route<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("taken", &self.0.load().is_some()).finish()
    }
}
