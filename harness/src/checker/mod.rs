//! Compares what the load was answered with the log, the stock, the topics and the dead letters.
//!
//! One log partition at a time is read in pages and handed to every check of `checks/`, then its topics are read and held
//! against it, so memory follows the largest partition and not the whole log.

mod checks;
mod cli;
mod finding;
mod history_index;
mod kafka;
mod log;
mod report;
mod row;
mod settle;
mod topic_audit;

pub use cli::main;
pub use log::Log;
pub use settle::{Counts, Watch};
