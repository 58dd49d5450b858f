//! What an order, a product, a stock decision and a notification are, and what may happen to them.
//!
//! Everything here is pure: no async, no I/O, no clock, no random source. Time and ids come in as arguments, so every
//! rule can be read as a table and tested as a sentence.

mod aggregate;
mod event;
mod ids;
mod money;

pub mod inventory;
pub mod notification;
pub mod order;
pub mod product;

#[cfg(test)]
mod given;

pub use aggregate::{AGGREGATES, Aggregate, Refusal, RefusalKind};
pub use event::{DomainEvent, Unreadable};
pub use ids::{IdempotencyScope, InvalidId, OrderId, ProductId, ReceiptId, UserId};
pub use money::{Currency, InvalidMoney, Money};
