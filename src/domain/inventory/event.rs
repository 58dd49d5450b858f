//! What can have happened to stock. These structs are the wire format.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::event::events;
use crate::domain::order::MissingLine;
use crate::domain::{OrderId, ProductId, ReceiptId};

events! {
    /// What happened to stock.
    pub enum Event {
        /// Every line of an order was set aside.
        "inventory.reserved" => Reserved(StockMoved),
        /// Some line was short; nothing was set aside.
        "inventory.rejected" => Rejected(StockRejected),
        /// What was set aside for an order is available again.
        "inventory.released" => Released(StockMoved),
        /// What was set aside has left the house.
        "inventory.shipped" => Shipped(StockMoved),
        /// Goods came in.
        "inventory.received" => Received(StockReceived),
    }
}

/// So many of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Which product.
    pub product_id: ProductId,
    /// How many, 1 or more.
    pub quantity: u32,
}

/// `inventory.reserved`, `inventory.released`, `inventory.shipped`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockMoved {
    /// For which order.
    pub order_id: OrderId,
    /// What moved, one entry a product.
    pub items: Vec<Item>,
}

/// `inventory.rejected`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockRejected {
    /// Which order.
    pub order_id: OrderId,
    /// The lines that were short, and by how much.
    pub missing: Vec<MissingLine>,
}

/// `inventory.received`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockReceived {
    /// The receipt.
    pub receipt_id: ReceiptId,
    /// Which product.
    pub product_id: ProductId,
    /// How many came in.
    pub quantity: u32,
}
