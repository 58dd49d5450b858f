//! The product: what the catalogue says of a thing, its price above all.

mod command;
mod decide;
mod event;
mod refusal;
mod state;

pub use command::Command;
pub use event::{Changes, Event, ProductCreated, ProductUpdated};
pub use refusal::ProductRefusal;
pub use state::{Details, Product};
