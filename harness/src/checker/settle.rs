//! Waiting until the system is at rest: heads still, every order decided and told of, every topic at the log's end.

use std::time::{Duration, Instant};

use super::kafka::Topics;
use super::letters::Excused;
use super::log::Log;
use crate::progress::Progress;
use crate::wire::stream::{EVENT_TOPICS, topic_index};

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What the log holds of each kind of event, so far as rest depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub created: i64,
    pub confirmed: i64,
    pub rejected: i64,
    /// Cancelled while still processing; a confirmed order that is cancelled was decided before.
    pub cancelled_undecided: i64,
    cancelled: i64,
    shipped: i64,
    reserved: i64,
    out_of_stock: i64,
    released: i64,
    taken_out: i64,
    notifications: i64,
    /// What consumers were made to leave out.
    excused: Excused,
    /// By topic and partition, the last position that the topic must hold.
    last: [Vec<i64>; EVENT_TOPICS.len()],
}

impl Counts {
    pub fn add(&mut self, partition: usize, kind: &str, event_type: &str, count: i64, last: i64, undecided: i64) {
        match event_type {
            "order.created" => self.created += count,
            "order.confirmed" => self.confirmed += count,
            "order.rejected" => self.rejected += count,
            "order.cancelled" => {
                self.cancelled += count;
                self.cancelled_undecided += undecided;
            }
            "order.shipped" => self.shipped += count,
            "inventory.reserved" => self.reserved += count,
            "inventory.rejected" => self.out_of_stock += count,
            "inventory.released" => self.released += count,
            "inventory.shipped" => self.taken_out += count,
            "notification.requested" => self.notifications += count,
            _ => (),
        }
        if let Some(topic) = topic_index(kind) {
            let positions = &mut self.last[topic];
            positions.resize(positions.len().max(partition + 1), 0);
            positions[partition] = positions[partition].max(last);
        }
    }

    /// Carried to confirmed or rejected.
    pub fn carried_to_the_end(&self) -> i64 {
        self.confirmed + self.rejected
    }

    /// Orders that inventory reserved stock for or refused.
    pub fn decided_by_inventory(&self) -> i64 {
        self.reserved + self.out_of_stock
    }

    /// Orders of which the system still owes an outcome.
    pub fn backlog(&self) -> i64 {
        self.created - self.confirmed - self.rejected - self.cancelled_undecided - self.excused.open
    }

    /// What is still to come, in words; `None` when the log is complete in itself.
    pub fn awaited(&self) -> Option<String> {
        // A reservation that was never confirmed belongs to an order cancelled before, so once all is decided its stock
        // is owed back too, beside that of the orders cancelled after their confirmation.
        let to_be_released = match self.backlog() {
            0 => self.cancelled - self.cancelled_undecided + self.reserved - self.confirmed - self.excused.unfollowed,
            _ => 0,
        };
        let to_be_told = self.created + self.confirmed + self.rejected + self.shipped;
        let awaited: Vec<String> = [
            (self.backlog(), "orders to be confirmed or rejected"),
            (self.created - self.reserved - self.out_of_stock - self.excused.undecided, "decisions of inventory"),
            (to_be_released - self.released, "releases of stock"),
            (self.shipped - self.taken_out, "stock movements of shipped orders"),
            (to_be_told - self.notifications - self.excused.untold, "notifications"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        (!awaited.is_empty()).then(|| awaited.join(", "))
    }
}

/// Follows the log by counting only what is new.
pub struct Watch {
    log: Log,
    heads: Vec<i64>,
    pub counts: Counts,
    moved: Instant,
}

impl Watch {
    /// What lies at or before these heads is not counted.
    pub fn from(log: Log, heads: Vec<i64>) -> Self {
        Self { log, heads, counts: Counts::default(), moved: Instant::now() }
    }

    pub async fn look(&mut self) -> anyhow::Result<()> {
        let heads = self.log.heads().await?;
        if heads != self.heads {
            self.log.count(&self.heads, &heads, &mut self.counts).await?;
            self.heads = heads;
            self.moved = Instant::now();
        }
        Ok(())
    }

    pub fn is_still(&self, since: Duration) -> bool {
        self.moved.elapsed() >= since
    }

    pub fn heads(&self) -> &[i64] {
        &self.heads
    }
}

pub enum Rest {
    At {
        heads: Vec<i64>,
    },
    /// Nothing moves any more, but something is still missing.
    Stuck {
        heads: Vec<i64>,
        awaited: String,
    },
    /// Somebody still writes: what would be checked is a moving thing.
    Moving,
}

/// `still` is for how long no head may have moved; `within` bounds the whole wait.
pub async fn wait_for_rest(
    log: &Log,
    topics: &Topics,
    still: Duration,
    within: Duration,
    excused: Excused,
    progress: &Progress,
) -> anyhow::Result<Rest> {
    let partitions = log.heads().await?.len();
    let mut watch = Watch::from(log.clone(), vec![0; partitions]);
    watch.counts.excused = excused;
    let began = Instant::now();
    loop {
        watch.look().await?;
        let is_still = watch.is_still(still);
        let awaited = match watch.counts.awaited() {
            Some(awaited) => Some(awaited),
            None if !is_still => Some(format!("the log to stay as it is for {still:?}")),
            // A broker that was just restarted may answer with an error for a while.
            None => match tokio::task::block_in_place(|| behind(topics, &watch.counts)) {
                Ok(awaited) => awaited,
                Err(error) if began.elapsed() >= within => return Err(error),
                Err(error) => Some(format!("Kafka to answer: {error:#}")),
            },
        };
        let Some(awaited) = awaited else {
            return Ok(Rest::At { heads: watch.heads().to_vec() });
        };
        if began.elapsed() >= within {
            let heads = watch.heads().to_vec();
            return Ok(if is_still { Rest::Stuck { heads, awaited } } else { Rest::Moving });
        }
        progress.show(&format!("waiting for {awaited} ({:.0} of {within:?})", began.elapsed().as_secs_f64()));
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The first topic partition that has not reached the log's end.
fn behind(topics: &Topics, counts: &Counts) -> anyhow::Result<Option<String>> {
    for (topic, positions) in EVENT_TOPICS.iter().zip(&counts.last) {
        if positions.iter().all(|position| *position == 0) {
            continue;
        }
        let present = topics.partitions(topic)?;
        for (partition, position) in positions.iter().enumerate().filter(|(_, position)| **position > 0) {
            let seen = if partition < present { topics.last_position(topic, i16::try_from(partition)?)? } else { 0 };
            if seen < *position {
                let name = topics.full_name(topic);
                return Ok(Some(format!("{name}/{partition} to reach position {position} (now {seen})")));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[(&str, &str, i64)]) -> Counts {
        let mut counts = Counts::default();
        for (kind, event_type, count) in rows {
            counts.add(1, kind, event_type, *count, 7, 0);
        }
        counts
    }

    const ALL_DONE: [(&str, &str, i64); 6] = [
        ("order", "order.created", 3),
        ("inventory", "inventory.reserved", 2),
        ("inventory", "inventory.rejected", 1),
        ("order", "order.confirmed", 2),
        ("order", "order.rejected", 1),
        ("notification", "notification.requested", 6),
    ];

    #[test]
    fn nothing_is_awaited_when_all_is_decided_and_told() {
        assert_eq!(counts(&ALL_DONE).awaited(), None);
        assert_eq!(counts(&[]).awaited(), None);
    }

    #[test]
    fn whatever_is_missing_is_awaited() {
        for (missing, row) in ALL_DONE.iter().enumerate().skip(1) {
            let mut rows = ALL_DONE.to_vec();
            rows.remove(missing);
            let awaited = counts(&rows).awaited();
            // Without its confirmation an order's notification is one too many, yet the order is still awaited.
            assert!(awaited.is_some(), "{row:?}");
        }
    }

    #[test]
    fn an_order_cancelled_in_time_has_its_outcome() {
        let mut counts = counts(&[("order", "order.created", 1)]);
        assert_eq!(counts.backlog(), 1);
        counts.add(0, "order", "order.cancelled", 1, 9, 1);
        assert_eq!(counts.backlog(), 0);
    }

    #[test]
    fn stock_of_a_cancelled_order_is_awaited_back_whenever_it_was_cancelled() {
        for undecided in [0, 1] {
            let mut counts = counts(&ALL_DONE);
            counts.add(0, "order", "order.created", 1, 8, 0);
            counts.add(0, "inventory", "inventory.reserved", 1, 9, 0);
            if undecided == 0 {
                counts.add(0, "order", "order.confirmed", 1, 9, 0);
            }
            counts.add(0, "notification", "notification.requested", 2 - undecided, 9, 0);
            counts.add(0, "order", "order.cancelled", 1, 10, undecided);
            assert_eq!(counts.awaited().as_deref(), Some("1 releases of stock"));
            counts.add(0, "inventory", "inventory.released", 1, 11, 0);
            assert_eq!(counts.awaited(), None);
        }
    }

    #[test]
    fn stock_of_a_shipped_order_is_awaited_out() {
        let mut counts = counts(&ALL_DONE);
        counts.add(0, "order", "order.shipped", 1, 9, 0);
        counts.add(0, "notification", "notification.requested", 1, 9, 0);
        assert_eq!(counts.awaited().as_deref(), Some("1 stock movements of shipped orders"));
        counts.add(0, "inventory", "inventory.shipped", 1, 9, 0);
        assert_eq!(counts.awaited(), None);
    }

    #[test]
    fn what_was_discarded_is_not_awaited() {
        // Two more orders: inventory was made to leave one out, and its decision about the other to go unheard.
        let mut counts = counts(&ALL_DONE);
        counts.add(0, "order", "order.created", 2, 8, 0);
        counts.add(0, "inventory", "inventory.reserved", 1, 9, 0);
        counts.add(0, "notification", "notification.requested", 1, 9, 0);
        assert!(counts.awaited().is_some());
        counts.excused = Excused { undecided: 1, open: 2, unfollowed: 1, untold: 1 };
        assert_eq!(counts.awaited(), None);
    }

    #[test]
    fn the_last_position_of_every_topic_is_known() {
        let mut counts = counts(&[("order", "order.created", 1)]);
        counts.add(1, "receipt", "inventory.received", 1, 12, 0);
        assert_eq!(counts.last[0], [0, 7]);
        assert_eq!(counts.last[1], [0, 12]);
    }
}
