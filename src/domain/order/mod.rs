//! The order: created, confirmed or rejected once inventory has decided, shipped, delivered, or cancelled on the way.

mod command;
mod decide;
mod event;
mod refusal;
mod state;

pub use command::{Command, PricedLine};
pub use event::{Ended, Event, Line, MissingLine, OrderCreated, OrderMoved, OrderRejected};
pub use refusal::{NOT_ALLOWED, OrderRefusal};
pub use state::{Facts, Order, Status};

/// Most lines an order may have after equal products are merged. A setting may lower it, nothing raises it.
pub const MAX_LINES: usize = 500;
/// Most pieces of one product in an order.
pub const MAX_QUANTITY: u32 = 1_000_000;
