//! What inventory has decided about an order, as a fold of the stream `inventory:<order>`.

use super::event::{Event, Item};

/// Inventory's side of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Inventory {
    /// Not decided.
    #[default]
    Undecided,
    /// Set aside.
    Reserved(Vec<Item>),
    /// Short of stock; nothing is set aside.
    Rejected,
    /// Available again.
    Released,
    /// Left the house.
    Shipped,
}

impl Inventory {
    /// The state after `event`.
    #[must_use]
    pub fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Reserved(moved) => Self::Reserved(moved.items.clone()),
            Event::Rejected(_) => Self::Rejected,
            Event::Released(_) => Self::Released,
            Event::Shipped(_) => Self::Shipped,
            // A receipt belongs to a stream of its own and decides nothing about an order.
            Event::Received(_) => self,
        }
    }
}
