//! Measures the service: rows in interleaved rounds of one run, because these machines drift within hours.

mod cli;
mod cpu;
mod machine;
mod measure;
pub(crate) mod metrics;
mod result;
mod rows;
mod service;
mod stage;
mod table;

pub use cli::main;
