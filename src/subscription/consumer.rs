//! What a consumer is: it says what it reads, and returns what should happen. The machine carries it out.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

use super::models::Written;
use super::{Blamed, Delivered, Failure};
use crate::contracts::RecordedEvent;
use crate::domain::{OrderId, order};
use crate::event_store::NewEvent;

/// The transaction of a batch, as a handler sees it.
#[derive(Debug)]
pub struct Tx<'t> {
    /// The connection, inside the transaction.
    pub db: &'t mut PgConnection,
    /// The last try met a stream that had moved on: assume nothing empty, read it.
    pub after_conflict: bool,
    /// The versions of its read models that this transaction writes.
    pub written: &'t Written,
}

/// An event in the consumer's own words.
#[derive(Clone, Debug, PartialEq)]
pub struct Received<R> {
    /// Which event of the batch it is: names the cause of a decision.
    pub cause: usize,
    /// Its stream.
    pub stream_id: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What the consumer reads of it.
    pub event: R,
}

/// The events a consumer reads, in its own structs with only the fields it uses.
pub trait Reads: Clone + Send + Sync + 'static {
    /// Types it reads; every other event passes it by, counted.
    const TYPES: &'static [&'static str];
    /// Newest version of their schemas that it understands; a newer one can mean anything, and is never guessed at.
    const SCHEMA_VERSION: i16 = 1;
    /// Reads one of those types.
    ///
    /// # Errors
    /// What does not fit.
    fn read(event_type: &str, payload: &str) -> Result<Option<Self>, Unreadable>;
}

/// Why a payload is not what a consumer expects.
pub type Unreadable = serde_json::Error;

/// Reads one payload; for [`reads!`], which names nothing its user would have to depend on.
///
/// # Errors
/// What does not fit.
#[doc(hidden)]
pub fn read_payload<T: DeserializeOwned>(payload: &str) -> Result<T, Unreadable> {
    serde_json::from_str(payload)
}

/// Declares what a consumer reads: `reads! { enum Reads { "order.created" => Created(OrderCreated) } }`. The payloads are
/// structs of the consumer's own with only the fields it uses; the enum is public, `Clone`, `Debug` and `PartialEq`.
#[doc(hidden)]
#[macro_export]
macro_rules! __reads {
    ($(#[$meta:meta])* enum $name:ident { $($stored:literal => $variant:ident($payload:ty)),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name { $(
            #[doc = concat!("`", $stored, "`.")]
            $variant($payload)
        ),+ }

        impl $crate::subscription::Reads for $name {
            const TYPES: &'static [&'static str] = &[$($stored),+];
            fn read(event_type: &str, payload: &str) -> Result<Option<Self>, $crate::subscription::Unreadable> {
                match event_type {
                    $($stored => $crate::subscription::read_payload(payload).map(|read| Some(Self::$variant(read))),)+
                    _ => Ok(None),
                }
            }
        }
    };
}
#[doc(inline)]
pub use __reads as reads;

/// Events to append because of one event of the batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The event that caused it, by [`Received::cause`].
    pub cause: usize,
    /// The stream to append to.
    pub stream_id: String,
    /// What places that stream.
    pub partition_key: String,
    /// Version the decision was made on.
    pub expected_version: i32,
    /// What was decided.
    pub events: Vec<NewEvent>,
}

/// What a handler decided for a batch.
pub type Decisions = Vec<Decision>;

/// A command to an order because of one event of the batch.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderCommand {
    /// The event that caused it, by [`Received::cause`].
    pub cause: usize,
    /// To whom.
    pub order_id: OrderId,
    /// What.
    pub command: order::Command,
}

/// What becomes of a stream whose event is a dead letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDeadLetter {
    /// Its later events wait until the letter is replayed or discarded: order is kept.
    #[default]
    Block,
    /// Its later events go on: for what does not depend on order.
    Continue,
}

/// What the read models of a consumer are folded from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Folding {
    /// What it decides: the events it appends, before they are.
    #[default]
    Decided,
    /// What it receives, of the types it reads: in the transaction of its place, so each event counts once.
    Received,
}

/// Turns events into decisions. Names no client crate but Postgres, sends nothing, appends nothing.
pub trait Consumer: Send + Sync + 'static {
    /// Its name, and its Kafka group.
    const NAME: &'static str;
    /// The topics it reads.
    const TOPICS: &'static [&'static str];
    /// What it reads of them.
    type Reads: Reads;
    /// What becomes of a stream whose event is a dead letter.
    const ON_DEAD_LETTER: OnDeadLetter = OnDeadLetter::Block;

    /// What its read models are folded from.
    const FOLDING: Folding = Folding::Decided;

    /// Read models it keeps: folded in its transaction, those that most events change last, since they are locked until it
    /// commits.
    fn folds() -> Folds {
        Folds::default()
    }

    /// Commands to send because of a batch: sent and answered before its transaction opens. "Already so" and refusals
    /// are outcomes, so asking twice is harmless. Whoever answers with any is listed [`super::Listed::with_commands`]:
    /// without the aggregates beside it, it would wait for them.
    fn commands(&self, _batch: &[Received<Self::Reads>]) -> Vec<OrderCommand> {
        Vec::new()
    }

    /// What follows from a batch: its effects, made by `tx` in key order, hot rows last, and the events to append. Both
    /// are committed with the batch's place, or neither is, so that each event takes effect once. It may be called again
    /// with the same events after a roll back, and with parts of them.
    fn handle<'a>(
        &'a self,
        _batch: &'a [Received<Self::Reads>],
        _tx: &'a mut Tx<'_>,
    ) -> impl Future<Output = Result<Decisions, Failure>> + Send + 'a {
        async { Ok(Decisions::new()) }
    }
}

/// An event as a read model folds it: recorded, or just decided.
#[derive(Clone, Copy, Debug)]
pub struct FoldEvent<'a> {
    /// Its name.
    pub event_type: &'a str,
    /// Its number in its stream.
    pub version: i32,
    /// When it was appended; absent for one just decided.
    pub recorded_at: Option<DateTime<Utc>>,
    /// JSON text.
    pub payload: &'a str,
}

impl<'a> From<&'a RecordedEvent> for FoldEvent<'a> {
    fn from(event: &'a RecordedEvent) -> Self {
        Self {
            event_type: &event.event_type,
            version: event.version,
            recorded_at: Some(event.recorded_at),
            payload: &event.payload,
        }
    }
}

/// Something that folds events inside a transaction. `read_model` implements it for every projection.
pub trait Fold: Send + Sync {
    /// Name of the read model.
    fn name(&self) -> &'static str;
    /// Whether it folds events of this type; all others pass it by.
    fn reads(&self, event_type: &str) -> bool;
    /// Folds them, in order, into every version that is to be written.
    fn fold<'a>(
        &'a self,
        events: &'a [FoldEvent<'a>],
        written: &'a Written,
        db: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), Failure>>;
}

/// The read models a subscription keeps.
#[derive(Clone, Default)]
pub struct Folds(Vec<Arc<dyn Fold>>);

impl Folds {
    /// These, and one more.
    #[must_use]
    pub fn with(mut self, fold: impl Fold + 'static) -> Self {
        self.0.push(Arc::new(fold));
        self
    }

    /// Just this one.
    #[must_use]
    pub fn only(fold: Arc<dyn Fold>) -> Self {
        Self(vec![fold])
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Fold>> {
        self.0.iter()
    }

    /// Whether any of them folds events of this type.
    #[must_use]
    pub fn read(&self, event_type: &str) -> bool {
        self.0.iter().any(|fold| fold.reads(event_type))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Folds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|fold| fold.name())).finish()
    }
}

/// A consumer of any kind, as the machine runs it.
pub trait Handler: Send + Sync {
    /// Types it reads.
    fn reads(&self) -> &'static [&'static str];
    /// The commands of a batch.
    ///
    /// # Errors
    /// [`Failure::Poison`] if an event cannot be read.
    fn commands(&self, events: &[&Delivered]) -> Result<Vec<OrderCommand>, Blamed>;
    /// The decisions of a batch.
    fn handle<'a>(&'a self, events: &'a [&'a Delivered], tx: Tx<'a>) -> BoxFuture<'a, Result<Decisions, Blamed>>;
}

/// Makes a consumer of any kind runnable.
pub fn handler<C: Consumer>(consumer: C) -> Arc<dyn Handler> {
    Arc::new(Typed(consumer))
}

struct Typed<C>(C);

impl<C: Consumer> Handler for Typed<C> {
    fn reads(&self) -> &'static [&'static str] {
        C::Reads::TYPES
    }

    fn commands(&self, events: &[&Delivered]) -> Result<Vec<OrderCommand>, Blamed> {
        let batch = received(events.iter().copied().enumerate())?;
        Ok(self.0.commands(&batch))
    }

    fn handle<'a>(&'a self, events: &'a [&'a Delivered], mut tx: Tx<'a>) -> BoxFuture<'a, Result<Decisions, Blamed>> {
        Box::pin(async move {
            let batch = received(events.iter().copied().enumerate())?;
            if batch.is_empty() {
                return Ok(Decisions::new());
            }
            self.0.handle(&batch, &mut tx).await.map_err(Blamed::from)
        })
    }
}

/// An event of a schema that this build does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {schema_version} of the schema of {event_type} is newer than this build reads, which is {newest}")]
pub struct TooNew {
    /// Its type.
    pub event_type: String,
    /// Its version.
    pub schema_version: i16,
    /// The newest that is understood.
    pub newest: i16,
}

fn received<'a, R: Reads>(events: impl Iterator<Item = (usize, &'a Delivered)>) -> Result<Vec<Received<R>>, Blamed> {
    let mut batch = Vec::new();
    for (cause, delivered) in events {
        let recorded = &delivered.event;
        let blame = |failure| Blamed { failure, culprit: Some(cause) };
        let read = R::read(&recorded.event_type, &recorded.payload);
        if R::TYPES.contains(&recorded.event_type.as_str()) && recorded.schema_version > R::SCHEMA_VERSION {
            return Err(blame(Failure::poison(TooNew {
                event_type: recorded.event_type.clone(),
                schema_version: recorded.schema_version,
                newest: R::SCHEMA_VERSION,
            })));
        }
        if let Some(event) = read.map_err(|error| blame(Failure::poison(error)))? {
            batch.push(Received {
                cause,
                stream_id: recorded.stream_id.clone(),
                recorded_at: recorded.recorded_at,
                event,
            });
        }
    }
    Ok(batch)
}
