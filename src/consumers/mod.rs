//! Every consumer: events in, decisions out. One file each, and the list.

pub mod analytics;
pub mod inventory;
pub mod notification;
pub mod orders;

use crate::subscription::{Listed, listed};

pub use inventory::Receiving;

/// Every consumer there is. Its name is its role, its Kafka group and its topic of dead letters: all of them follow from
/// this list.
#[must_use]
pub fn all() -> Vec<Listed> {
    vec![
        listed(inventory::Inventory),
        listed(orders::Orders).with_commands(),
        listed(notification::Notification),
        listed(analytics::Analytics),
    ]
}

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().into_iter().map(|listed| listed.name)
}
