//! Places orders and keeps account of every answer.

mod catalogue;
mod chance;
mod cli;
mod client;
mod mark;
mod order;
mod pace;
mod popularity;
mod post;
mod retry;
mod summary;
mod tally;
mod traffic;

pub use catalogue::Catalogue;
pub(crate) use chance::Chance;
pub use cli::main;
pub use client::Client;
pub use mark::Mark;
pub use pace::{Pace, Until};
pub use retry::Patience;
pub use summary::Summary;
pub use tally::Tally;
pub use traffic::Traffic;
