//! The runner of `make bench`: a list of rows, measured in interleaved rounds of one run.

mod cli;
mod processor;
mod report;
mod row;
mod rows;
mod service;

pub use cli::main;
