//! One topic partition as a feed: asks its group's thread for records, a credit at a time.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::group::{Group, Order, TopicPartition};
use crate::subscription::{Batch, Feed, FeedError, Record};

/// Follows one topic partition that the group has been assigned.
#[derive(Debug)]
pub struct KafkaFeed {
    group: Group,
    place: TopicPartition,
    batches: Option<mpsc::Receiver<Vec<Record>>>,
    /// A credit has been given and not been answered.
    waiting: bool,
}

impl KafkaFeed {
    /// A feed of `place`, not begun.
    #[must_use]
    pub fn new(group: Group, place: TopicPartition) -> Self {
        Self { group, place, batches: None, waiting: false }
    }
}

impl Feed for KafkaFeed {
    fn begin(&mut self, next_offset: i64, _position: i64) -> BoxFuture<'_, Result<(), FeedError>> {
        let (sender, receiver) = mpsc::channel(1);
        self.batches = Some(receiver);
        self.waiting = false;
        let begun = self.group.tell(Order::Begin { place: self.place.clone(), next_offset, batches: sender });
        Box::pin(async move { if begun { Ok(()) } else { Err(FeedError::Ended) } })
    }

    fn next(&mut self, limit: usize, wait: Duration) -> BoxFuture<'_, Result<Batch, FeedError>> {
        Box::pin(async move {
            let batches = self.batches.as_mut().ok_or(FeedError::Ended)?;
            if !self.waiting {
                if !self.group.tell(Order::Credit { place: self.place.clone(), records: limit }) {
                    return Err(FeedError::Ended);
                }
                self.waiting = true;
            }
            match timeout(wait, batches.recv()).await {
                Ok(Some(records)) => {
                    self.waiting = false;
                    Ok(Batch::Records(records))
                }
                Ok(None) => Err(FeedError::Ended),
                Err(_) => Ok(Batch::Records(Vec::new())),
            }
        })
    }

    fn stuck(&mut self) {
        _ = self.group.tell(Order::Stuck { place: self.place.clone() });
    }

    fn committed(&mut self, next_offset: i64) {
        // Only lag tools read it; a group that has ended has no use for it.
        _ = self.group.tell(Order::Store { place: self.place.clone(), next_offset });
    }
}
