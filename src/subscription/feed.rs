//! What every source delivers: the shape that Kafka and the log fill.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::BoxError;
use crate::contracts::RecordedEvent;

/// A Kafka record, its bytes untouched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Its place in the topic partition.
    pub offset: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers, in order; a name may repeat and a value may be absent.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// The broker's time.
    pub time: Option<DateTime<Utc>>,
}

impl Record {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref())
    }
}

/// What a feed has delivered, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Batch {
    /// From a topic partition.
    Records(Vec<Record>),
    /// From a log partition.
    Events(Vec<Arc<RecordedEvent>>),
}

impl Batch {
    /// Whether nothing came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Records(records) => records.is_empty(),
            Self::Events(events) => events.is_empty(),
        }
    }
}

/// Why a feed cannot deliver.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// Going on would lose an event: whoever follows must stop.
    #[error("the source has a hole")]
    Hole(#[source] BoxError),
    /// The source does not answer; nothing is lost.
    #[error("the source does not answer")]
    Down(#[source] BoxError),
    /// The partition was taken away, or the feed has ended.
    #[error("the feed has ended")]
    Ended,
}

/// One partition of a source.
pub trait Feed: Send {
    /// Begins at a place: called once before the first `next`, when the claim is held.
    ///
    /// # Errors
    /// [`FeedError`].
    fn begin(&mut self, next_offset: i64, position: i64) -> BoxFuture<'_, Result<(), FeedError>>;

    /// The next events, at most about `limit`, waiting at most `wait`; an empty batch if none came.
    ///
    /// # Errors
    /// [`FeedError`].
    fn next(&mut self, limit: usize, wait: Duration) -> BoxFuture<'_, Result<Batch, FeedError>>;

    /// Nothing has come for long although its source has more: whatever stands behind the feed had better begin anew.
    fn stuck(&mut self) {}

    /// Hears that everything before `next_offset` is durable.
    fn committed(&mut self, next_offset: i64);
}
