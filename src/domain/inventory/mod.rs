//! Stock: what inventory decides about an order, and what came in.
//!
//! A stock row is {available, reserved, shipped}; received = available + reserved + shipped, always.

mod decide;
mod event;
mod state;

pub use decide::{Level, OUT_OF_STOCK, Reservation, release, reserve, ship};
pub use event::{Event, Item, StockMoved, StockReceived, StockRejected};
pub use state::Inventory;

use super::OrderId;

/// Prefix of the streams that hold inventory's decision on an order.
pub const STREAM: &str = "inventory";
/// Prefix of the streams that hold a stock receipt.
pub const RECEIPT_STREAM: &str = "receipt";

/// The stream that holds inventory's decision on this order.
#[must_use]
pub fn stream_of(order_id: OrderId) -> String {
    format!("{STREAM}:{order_id}")
}
