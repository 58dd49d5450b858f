//! Wakes in-process readers of a partition, and hands them what was just written.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::contracts::RecordedEvent;

/// Events of one partition that were just committed together, in position order; possibly empty: then only a wake-up.
pub type FreshBatch = Arc<[Arc<RecordedEvent>]>;

/// Batches a slow reader may fall behind before it reads the log instead: a bound on memory, not on correctness.
const KEPT: usize = 32;

/// One bell a partition. Ringing never waits, and a lost ring costs one poll interval, never an event.
#[derive(Clone, Debug)]
pub struct Bell(Arc<[broadcast::Sender<FreshBatch>]>);

impl Bell {
    /// A bell for each of `partitions` partitions.
    #[must_use]
    pub fn new(partitions: u16) -> Self {
        Self((0..partitions).map(|_| broadcast::Sender::new(KEPT)).collect())
    }

    /// Tells the partition's readers what was committed. Rung after the commit, never before.
    pub fn ring(&self, partition: i16, events: FreshBatch) {
        if let Some(bell) = usize::try_from(partition).ok().and_then(|partition| self.0.get(partition)) {
            // No reader in this process is no error.
            _ = bell.send(events);
        }
    }

    /// Groups what one statement committed by partition and rings each.
    pub fn ring_all(&self, events: impl IntoIterator<Item = RecordedEvent>) {
        let mut by_partition: Vec<(i16, Vec<Arc<RecordedEvent>>)> = Vec::new();
        for event in events {
            let partition = event.partition;
            match by_partition.iter_mut().find(|(known, _)| *known == partition) {
                Some((_, batch)) => batch.push(Arc::new(event)),
                None => by_partition.push((partition, vec![Arc::new(event)])),
            }
        }
        for (partition, mut batch) in by_partition {
            batch.sort_unstable_by_key(|event| event.position);
            self.ring(partition, batch.into());
        }
    }

    pub(super) fn listen(&self, partition: i16) -> broadcast::Receiver<FreshBatch> {
        self.0[usize::try_from(partition).expect("partitions are numbered from 0")].subscribe()
    }
}
