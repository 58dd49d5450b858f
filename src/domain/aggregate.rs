//! What every aggregate is made of, and the list of them.

use std::fmt::{Debug, Display};
use std::hash::Hash;

use chrono::{DateTime, Utc};

use super::{DomainEvent, order::Order, product::Product};

/// A consistency boundary that decides: its events are the only truth about it.
///
/// Adding one touches `domain/x/`, the list below, its topic, its field in `commands.rs` and its routes; actors, shards
/// and the relay are generic over this trait.
pub trait Aggregate: Clone + Default + Debug + PartialEq + Send + Sync + 'static {
    /// Prefix of its streams: `order` in `order:<id>`. Stored; changing it orphans every stream written before.
    const NAME: &'static str;
    /// What names one of them.
    type Id: Display + Clone + Eq + Hash + Debug + Send + Sync + 'static;
    /// What it can be asked to do.
    type Command: Clone + Debug + Send + Sync + 'static;
    /// What can have happened to it.
    type Event: DomainEvent;
    /// Its "no".
    type Refusal: Refusal;

    /// What follows from `command` in this state, without doing it. `Ok([])` means that it is already so.
    ///
    /// # Errors
    /// The refusal, with a reason code, where the command is not allowed in this state.
    fn decide(&self, command: &Self::Command, now: DateTime<Utc>) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// The state after `event`. Total: every stored event can be folded in every state.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;

    /// What `command` is called in logs and traces: one word, such as `place`.
    fn name_of(command: &Self::Command) -> &'static str;

    /// Whether `command` brings the aggregate into being, so that its stream may be assumed empty without a read: if it
    /// is not, the append meets a conflict and tells.
    fn creates(command: &Self::Command) -> bool;

    /// The refusal that says that the stream already exists.
    fn already_exists(command: &Self::Command) -> Self::Refusal;

    /// The stream that holds its events.
    fn stream_id(id: &Self::Id) -> String {
        format!("{}:{id}", Self::NAME)
    }
}

/// The domain's "no": a reply, never a crash.
pub trait Refusal: std::error::Error + Clone + Debug + PartialEq + Send + Sync + 'static {
    /// Stable, machine readable reason: part of the API, never renamed.
    fn code(&self) -> &'static str;

    /// What kind of "no" it is.
    fn kind(&self) -> RefusalKind;
}

/// What whoever asked can do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// What was asked for does not exist: another id.
    Unknown,
    /// Its state is against it, and may change: read it and decide again.
    State,
    /// The request is against the rules in every state: correct it.
    Content,
}

/// Every aggregate of the system, by stream prefix.
pub const AGGREGATES: &[&str] = &[Order::NAME, Product::NAME];
