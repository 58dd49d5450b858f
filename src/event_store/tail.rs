//! Following one partition of the log: every event after a position, in order, none left out.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::broadcast::{self, error::TryRecvError};
use tokio::time::{Instant, timeout_at};

use super::Config;
use super::bell::{Bell, FreshBatch};
use crate::contracts::{Position, RecordedEvent};

const READ_AFTER: &str = include_str!("sql/read_after.sql");

/// Why a partition cannot be followed any further.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// A position is missing. Whoever follows must stop: going on would lose an event for ever.
    #[error("hole in log partition {partition}: after position {last} comes {found}; run `ordo log verify`")]
    Hole {
        /// Where.
        partition: i16,
        /// Last good position.
        last: Position,
        /// What came instead of `last + 1`.
        found: Position,
    },
    /// Postgres did not answer; nothing was lost.
    #[error("log partition {0} could not be read")]
    Postgres(i16, #[source] sqlx::Error),
}

/// A reader of one partition. Takes fresh batches from memory where they follow on, else reads the log.
#[derive(Debug)]
pub struct Tail {
    db: PgPool,
    partition: i16,
    last: Position,
    fresh: broadcast::Receiver<FreshBatch>,
    /// What the bell brought while waiting.
    heard: Option<FreshBatch>,
    poll_min: Duration,
    poll_max: Duration,
    pause: Duration,
    /// A fresh batch that does not follow on, or the start: the log is to be read before waiting.
    behind: bool,
}

impl Tail {
    /// Follows `partition` from after `last`.
    #[must_use]
    pub fn after(last: Position, partition: i16, bell: &Bell, db: PgPool, config: &Config) -> Self {
        Self {
            db,
            partition,
            last,
            fresh: bell.listen(partition),
            heard: None,
            poll_min: config.poll_min,
            poll_max: config.poll_max,
            pause: config.poll_min,
            behind: true,
        }
    }

    /// The last position handed out.
    #[must_use]
    pub fn position(&self) -> Position {
        self.last
    }

    /// The next events, about `limit` at most; empty if none came within `wait`.
    ///
    /// # Errors
    /// [`TailError::Hole`], after which nothing may be read on; [`TailError::Postgres`], after which it may be tried again.
    pub async fn next(&mut self, limit: usize, wait: Duration) -> Result<Vec<Arc<RecordedEvent>>, TailError> {
        let deadline = Instant::now() + wait;
        loop {
            let events = self.take_fresh(limit)?;
            if !events.is_empty() {
                return Ok(events);
            }
            if self.behind {
                let events = self.read_log(limit).await?;
                if !events.is_empty() {
                    return Ok(events);
                }
            }
            if Instant::now() >= deadline {
                return Ok(Vec::new());
            }
            self.wait(deadline).await;
        }
    }

    /// What the bell has brought since, several commits together: a slow reader catches up in one batch.
    fn take_fresh(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, TailError> {
        let mut events = Vec::new();
        while events.len() < limit {
            match self.heard.take().map_or_else(|| self.fresh.try_recv(), Ok) {
                Ok(batch) => match batch.first() {
                    Some(first) if first.position == self.last + 1 => match self.checked(batch.to_vec()) {
                        Ok(more) => events.extend(more),
                        // What was taken before it is handed out first; the log will show the hole again.
                        Err(_) if !events.is_empty() => {
                            self.behind = true;
                            break;
                        }
                        Err(hole) => return Err(hole),
                    },
                    // Seen already: it was read from the log before its bell was heard.
                    Some(_) if batch.last().is_some_and(|event| event.position <= self.last) => {}
                    _ => self.behind = true,
                },
                Err(TryRecvError::Lagged(_)) => self.behind = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        Ok(events)
    }

    async fn read_log(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, TailError> {
        let events: Vec<RecordedEvent> = sqlx::query_as(READ_AFTER)
            .bind(self.partition)
            .bind(self.last)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.db)
            .await
            .map_err(|error| TailError::Postgres(self.partition, error))?;
        self.behind = events.len() == limit;
        if !events.is_empty() {
            // Another process writes here: it rings no bell in this one, so the log is looked at often.
            self.pause = self.poll_min;
        }
        self.checked(events.into_iter().map(Arc::new).collect())
    }

    /// Row *i* has position *last + i*, or reading stops.
    fn checked(&mut self, events: Vec<Arc<RecordedEvent>>) -> Result<Vec<Arc<RecordedEvent>>, TailError> {
        let mut last = self.last;
        for event in &events {
            if event.position != last + 1 {
                return Err(TailError::Hole { partition: self.partition, last, found: event.position });
            }
            last = event.position;
        }
        self.last = last;
        Ok(events)
    }

    /// Until the bell rings, the adaptive pause is over, or the deadline is reached; after a pause the log is looked at,
    /// since another process rings no bell here.
    async fn wait(&mut self, deadline: Instant) {
        let until = deadline.min(Instant::now() + self.pause);
        match timeout_at(until, self.fresh.recv()).await {
            Ok(Ok(batch)) => self.heard = Some(batch),
            Ok(Err(_)) | Err(_) => self.behind = true,
        }
        self.pause = (self.pause * 2).min(self.poll_max);
    }
}
