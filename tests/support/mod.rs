//! What integration tests stand on: a database, topics and groups of their own, and the real binary as a process.

mod app;
mod database;
mod tree;
mod until;

pub use app::{TestApp, is_frozen, wish};
pub use database::Database;
pub use tree::Tree;
pub use until::eventually;

/// A variable that `make test` sets.
pub fn required(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run the tests with `make test`"))
}
