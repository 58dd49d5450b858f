//! Every event is in the partition of its key, and its key is the one its stream prescribes.

use super::LogCheck;
use crate::checker::finding::Finding;
use crate::checker::row::Row;
use crate::wire::event::Event;
use crate::wire::placement::partition_of;

pub const BY_KEY: &str = "an event is in the partition of its key";
pub const KEY_OF_STREAM: &str = "the partition key is the stream's order or product";

pub struct Placement {
    partitions: u32,
    by_key: Finding,
    key_of_stream: Finding,
}

impl Placement {
    pub fn over(partitions: u32) -> Self {
        Self { partitions, by_key: Finding::of(BY_KEY), key_of_stream: Finding::of(KEY_OF_STREAM) }
    }
}

impl LogCheck for Placement {
    fn row(&mut self, row: &Row) {
        let partition = partition_of(&row.partition_key, self.partitions);
        self.by_key.check(u32::try_from(row.partition) == Ok(partition), || {
            format!("{} with key {} belongs to partition {partition}", row.name(), row.partition_key)
        });
        if let Some(expected) = prescribed_key(row) {
            self.key_of_stream.check(row.partition_key == expected, || {
                format!("{} has key {}, expected {expected}", row.name(), row.partition_key)
            });
        }
    }

    fn findings(self: Box<Self>) -> Vec<Finding> {
        vec![self.by_key, self.key_of_stream]
    }
}

/// A receipt goes with its product, a notification with its cause, everything else with its own id.
fn prescribed_key(row: &Row) -> Option<&str> {
    let (kind, id) = row.stream_id.split_once(':')?;
    match (kind, &row.event) {
        ("receipt", Event::StockReceived { product, .. }) => Some(product),
        ("order" | "inventory" | "product", _) => Some(id),
        ("notification", _) => id.split(':').next(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::checks::{judge, violated};
    use crate::checker::row::fabricated::{notification, order, received};

    #[test]
    fn an_event_in_another_partition_is_found() {
        let mut row = order(1, 1, 1, "order.created");
        row.partition = if partition_of(&row.partition_key, 8) == 0 { 1 } else { 0 };
        assert_eq!(violated(&judge(Placement::over(8), &[row])), [BY_KEY]);
    }

    #[test]
    fn a_foreign_key_is_found() {
        let mut row = order(1, 1, 1, "order.created");
        row.partition_key = "something else".into();
        assert_eq!(violated(&judge(Placement::over(1), &[row])), [KEY_OF_STREAM]);
    }

    #[test]
    fn receipts_go_with_their_product_and_notifications_with_their_order() {
        let mut receipt = received(1, 9, 5);
        assert_eq!(violated(&judge(Placement::over(1), &[receipt.clone()])), [KEY_OF_STREAM]);
        receipt.partition_key = "a".into();
        let rows = [receipt, notification(2, 1, "order-created", 1)];
        assert_eq!(violated(&judge(Placement::over(1), &rows)), [""; 0]);
    }
}
