//! A subscription, ready to run: its name, what it does about events, and what it needs for that.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;

use super::consumer::{Folding, Folds, Handler, OnDeadLetter};
use super::fault::Panel;
use super::{Config, Delivered};
use crate::commands::Commands;
use crate::event_store::{Bell, Partitions};

/// A named reader, ready to run.
#[derive(Clone)]
pub struct Subscription {
    /// Its name; for a consumer its Kafka group, too.
    pub name: String,
    /// What it decides; none for a view.
    pub handler: Option<Arc<dyn Handler>>,
    /// What becomes of a stream whose event is a dead letter.
    pub on_dead_letter: OnDeadLetter,
    /// Read models it keeps.
    pub folds: Folds,
    /// What they are folded from.
    pub folding: Folding,
    /// How long its partitions stay with a silent owner; none where Kafka's group decides who owns them.
    pub lease: Option<Duration>,
    /// Where its commands go.
    pub commands: Option<Commands>,
    /// What makes its events fail on purpose.
    pub panel: Panel,
    /// How it is run.
    pub config: Config,
    /// Largest event it may append, in bytes.
    pub event_bytes: usize,
    /// Postgres.
    pub db: PgPool,
    /// How the log is divided.
    pub partitions: Partitions,
    /// Rung after its appends.
    pub bell: Bell,
}

impl Subscription {
    /// What it does about events, in a word.
    pub(super) fn verb(&self) -> &'static str {
        match self.folding {
            Folding::Decided => "decide",
            Folding::Received => "fold",
        }
    }

    /// Whether anything comes of this event here; all others pass it by.
    #[must_use]
    pub fn reads(&self, delivered: &Delivered) -> bool {
        let event_type = delivered.event.event_type.as_str();
        match &self.handler {
            Some(handler) => handler.reads().contains(&event_type),
            None => self.folds.read(event_type),
        }
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("name", &self.name).finish_non_exhaustive()
    }
}
