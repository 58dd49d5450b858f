//! What a load was answered, one JSON line per attempt. The checker believes these lines and nothing else of the load.

mod attempt;
mod file;

pub use attempt::{Action, Attempt, AttemptLine, Outcome};
pub use file::{HistoryWriter, read};
