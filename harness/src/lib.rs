//! Programs that look at ordo from outside. They know its wire (REST, log tables, Kafka records) and nothing of its code,
//! so a mistake in the code cannot hide in them.
//!
//! - `load` places orders and writes down every answer it got.
//! - `checker` compares those answers with the log, the stock and the topics.
//! - `bench` measures the service.
//! - `nemesis` breaks everything around and in it, by a seed, and has the checker judge what is left.

pub mod bench;
pub mod checker;
pub mod clock;
pub mod duration;
pub mod history;
pub mod load;
pub mod progress;
pub mod storm;
pub mod wire;
