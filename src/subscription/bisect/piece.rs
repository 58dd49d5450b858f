//! Part of a batch that runs as one transaction, and what is known of it.

use uuid::Uuid;

use super::Worker;
use crate::subscription::admit::Entry;
use crate::subscription::attempts::{self, Alone, Attempt};
use crate::subscription::dead_letter;
use crate::subscription::pass::{Fate, Item};
use crate::subscription::{Failure, Lane, Subscription};
use crate::telemetry;

/// Part of a batch that runs as one transaction.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub items: Vec<Item>,
    pub tries: u32,
    pub after_conflict: bool,
    /// The culprit is in here if the piece before passes.
    pub may_be_guilty: bool,
    /// The culprit is in here.
    pub is_guilty: bool,
    /// It is one event, which runs alone because something failed: its attempt is written before.
    pub is_alone: bool,
}

impl Piece {
    pub fn of(items: Vec<Item>) -> Self {
        Self { items, ..Self::default() }
    }

    pub fn alone(item: Item) -> Self {
        Self { items: vec![item], is_alone: true, ..Self::default() }
    }

    /// Whether its attempt is written down before it runs.
    pub fn runs_alone(&self, subscription: &Subscription) -> bool {
        let [item] = self.items.as_slice() else { return false };
        self.is_alone && item.fate == Fate::Apply && item.event().is_some() && subscription.handler.is_some()
    }

    /// Plain: nothing is known of it.
    pub fn is_plain(&self) -> bool {
        !(self.may_be_guilty || self.is_guilty || self.is_alone || self.after_conflict)
    }
}

/// The right to run alone, for one event that does.
pub(super) async fn alone(piece: &Piece, Worker { subscription, .. }: Worker<'_>) -> sqlx::Result<Option<Alone>> {
    match piece.items.first().and_then(Item::event).filter(|_| piece.runs_alone(subscription)) {
        Some(event) => attempts::alone(&subscription.name, event.event_id, &subscription.db).await.map(Some),
        None => Ok(None),
    }
}

/// Takes back what was written down before an event was to run alone.
pub(super) async fn take_back(piece: &Piece, Worker { subscription, lane, owner, .. }: Worker<'_>) -> sqlx::Result<()> {
    match piece.items.as_slice() {
        [item] if item.is_charged && item.fate == Fate::Apply => match item.event() {
            Some(delivered) => attempts::interrupted(lane, delivered, owner, &subscription.db).await,
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

pub(super) fn place_of(event_id: Uuid, piece: &Piece) -> Option<usize> {
    piece.items.iter().position(|item| item.event().is_some_and(|delivered| delivered.event_id == event_id))
}

pub(super) fn give_up(item: &mut Item, failure: &Failure, lane: &Lane, attempt: &Attempt) {
    if let Entry::Event(delivered) = &item.entry {
        telemetry::subscription::dead_lettered(lane, delivered, failure);
        item.fate = Fate::Letter(dead_letter::Verdict::on(failure, lane, attempt));
    }
}
