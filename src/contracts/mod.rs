//! What others read: topics, the record as stored and as published.
//!
//! The newest version of an event is the domain's own struct; superseded versions will have a file each here.

pub mod envelope;
mod recorded;
pub mod topics;

pub use recorded::{EVENT_IDS, Meta, Position, PositionToken, RecordedEvent, event_id};
