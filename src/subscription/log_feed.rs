//! One log partition as a feed.

use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::PgPool;

use super::feed::{Batch, Feed, FeedError};
use crate::event_store::{self, Bell, Tail, TailError};

/// Follows a log partition.
#[derive(Debug)]
pub struct LogFeed {
    partition: i16,
    bell: Bell,
    db: PgPool,
    config: event_store::Config,
    tail: Option<Tail>,
}

impl LogFeed {
    /// A feed of `partition`, not begun.
    #[must_use]
    pub fn new(partition: i16, bell: Bell, db: PgPool, config: event_store::Config) -> Self {
        Self { partition, bell, db, config, tail: None }
    }
}

impl Feed for LogFeed {
    fn begin(&mut self, _next_offset: i64, position: i64) -> BoxFuture<'_, Result<(), FeedError>> {
        self.tail = Some(Tail::after(position, self.partition, &self.bell, self.db.clone(), &self.config));
        Box::pin(async { Ok(()) })
    }

    fn next(&mut self, limit: usize, wait: Duration) -> BoxFuture<'_, Result<Batch, FeedError>> {
        Box::pin(async move {
            let tail = self.tail.as_mut().ok_or(FeedError::Ended)?;
            match tail.next(limit, wait).await {
                Ok(events) => Ok(Batch::Events(events)),
                Err(hole @ TailError::Hole { .. }) => Err(FeedError::Hole(hole.into())),
                Err(down @ TailError::Postgres(..)) => Err(FeedError::Down(down.into())),
            }
        })
    }

    fn committed(&mut self, _next_offset: i64) {}
}
