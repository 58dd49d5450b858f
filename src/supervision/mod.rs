//! Supervision without the actors: what to do about a crash, what happened to whom, how much each kind has to do.
//!
//! `restart` decides and touches nothing; `history` remembers without waiting for anyone and is written to Postgres
//! by and by; `workload` counts what mailboxes hold. `actors::supervisor` and `actors::mailbox` are run by them.

pub mod alarm;
mod config;
pub mod fact;
mod history;
pub mod node;
pub mod restart;
mod stop;
mod stored;
mod tree;
pub mod workload;

pub use config::Config;
pub use fact::{ActorPath, Crash, Fact, What};
pub use history::History;
pub use node::Node;
pub use restart::CauseClass;
pub use stop::StopReason;
pub use stored::recent_stored;
pub use tree::{LastCrash, Status, Tree, TreeNode};
