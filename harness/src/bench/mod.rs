//! Measures the service: rows in interleaved rounds of one run, because these machines drift within hours.

mod bare;
mod cli;
mod cpu;
mod frozen;
mod machine;
mod measure;
pub(crate) mod metrics;
mod outcomes;
mod past;
mod picture;
mod poison;
mod process;
mod published;
mod rebuild;
mod result;
mod rows;
mod service;
mod snapshot;
mod stage;
mod table;

pub use cli::main;
