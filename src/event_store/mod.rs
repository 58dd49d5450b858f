//! The log: appending, reading one stream, following one partition. Owns `log` and `log_head`.
//!
//! Promises: positions of a partition are 1..n without holes and in commit order; an append is accepted or refused whole;
//! an append whose outcome was lost is sent again and recognises itself by its `append_id`.

pub mod append;
mod bell;
mod columns;
mod config;
pub mod fill;
mod partition;
mod pressure;
mod protection;
mod read;
pub mod sweep;
mod tail;
pub mod verify;

pub use append::{Append, AppendError, Appended, NewEvent, Outcome};
pub use bell::{Bell, FreshBatch};
pub use config::Config;
pub use partition::{PartitionError, Partitions, create_heads, head_positions, heads};
pub use pressure::Pressure;
pub use protection::{Protection, protection};
pub use read::{
    Ahead, Kind, Wanted, between, count_after, first_after, kinds, last_of_prefixes, last_of_type, newest,
    positions_of, stream, streams, streams_below, unknown,
};
pub use sweep::Swept;
pub use tail::{Tail, TailError};
