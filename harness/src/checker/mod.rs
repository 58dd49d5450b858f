//! Compares what the load was answered with the log, the stock, the topics and the dead letters.
//!
//! One log partition at a time is read in pages and handed to every check of `checks/`, then its topics are read and held
//! against it, so memory follows the largest partition and not the whole log.

pub(crate) mod checks;
pub(crate) mod cli;
mod finding;
pub(crate) mod history_index;
mod kafka;
pub(crate) mod letters;
mod log;
mod report;
mod row;
mod settle;
pub(crate) mod topic_audit;

pub use cli::main;
pub use log::Log;
pub use settle::{Counts, Watch};
