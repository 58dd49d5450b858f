//! What an order can be asked to do.

use super::event::MissingLine;
use crate::domain::{Currency, OrderId, ProductId, UserId};

/// A line with the catalogue's price at the time of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLine {
    /// What is ordered.
    pub product_id: ProductId,
    /// How many, 1 or more.
    pub quantity: u32,
    /// Price of one in minor units.
    pub unit_price: i64,
    /// Currency of that price.
    pub currency: Currency,
    /// Version of the product that named the price.
    pub product_version: u32,
}

/// A request to an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Takes the order: prices are the catalogue's, never the client's.
    Place {
        /// The order to be.
        order_id: OrderId,
        /// Who orders.
        user_id: UserId,
        /// What, priced.
        lines: Vec<PricedLine>,
    },
    /// Inventory has reserved everything.
    Confirm,
    /// Inventory could not reserve everything.
    Reject {
        /// Why, as a code.
        reason: String,
        /// The lines that were short.
        missing: Vec<MissingLine>,
    },
    /// The customer or an operator withdraws it.
    Cancel {
        /// Why, in their words.
        reason: String,
    },
    /// It has left the house.
    Ship,
    /// It has arrived.
    Deliver,
}

impl Command {
    /// Its name, for refusals and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Place { .. } => "place",
            Self::Confirm => "confirm",
            Self::Reject { .. } => "reject",
            Self::Cancel { .. } => "cancel",
            Self::Ship => "ship",
            Self::Deliver => "deliver",
        }
    }
}
