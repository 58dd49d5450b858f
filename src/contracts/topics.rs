//! Every topic, and which stream goes where: the only strings with topic names.

use crate::domain::{Aggregate, inventory, notification, order::Order, product::Product};

/// The topic of orders.
pub const ORDER_EVENTS: &str = "order.events";
/// The topic of inventory's decisions and of stock receipts.
pub const INVENTORY_EVENTS: &str = "inventory.events";
/// The topic of products.
pub const PRODUCT_EVENTS: &str = "product.events";
/// The topic of notifications.
pub const NOTIFICATION_EVENTS: &str = "notification.events";

/// Topics that hold whole streams in order, and the prefixes of the streams they hold.
pub const STREAM_TOPICS: &[(&str, &[&str])] = &[
    (ORDER_EVENTS, &[Order::NAME]),
    (INVENTORY_EVENTS, &[inventory::STREAM, inventory::RECEIPT_STREAM]),
    (PRODUCT_EVENTS, &[Product::NAME]),
    (NOTIFICATION_EVENTS, &[notification::STREAM]),
];

/// Event types that are also published to a topic of their own name, unless the configuration says otherwise.
pub const MIRRORED: &[&str] = &["order.created", "product.updated"];

/// Prefix of the topics of dead letters.
pub const DEAD_LETTERS: &str = "dlq.";

/// The topic that holds `stream_id`; `None` for a prefix no build knows.
#[must_use]
pub fn of_stream(stream_id: &str) -> Option<&'static str> {
    let prefix = stream_id.split(':').next()?;
    STREAM_TOPICS.iter().find(|(_, prefixes)| prefixes.contains(&prefix)).map(|(topic, _)| *topic)
}

/// Prefixes of the streams that `topic` holds; empty for a mirrored topic.
#[must_use]
pub fn streams_of(topic: &str) -> &'static [&'static str] {
    STREAM_TOPICS.iter().find(|(name, _)| *name == topic).map_or(&[], |(_, prefixes)| prefixes)
}

/// Where one consumer's dead letters are published.
#[must_use]
pub fn dead_letters_of(consumer: &str) -> String {
    format!("{DEAD_LETTERS}{consumer}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AGGREGATES;

    #[test]
    fn every_aggregate_has_one_topic() {
        for name in AGGREGATES {
            assert!(of_stream(&format!("{name}:x")).is_some(), "{name} goes nowhere");
        }
    }

    #[test]
    fn a_stream_prefix_belongs_to_one_topic() {
        let mut prefixes: Vec<_> = STREAM_TOPICS.iter().flat_map(|(_, prefixes)| prefixes.iter()).collect();
        let all = prefixes.len();
        prefixes.sort();
        prefixes.dedup();
        assert_eq!(prefixes.len(), all);
    }
}
