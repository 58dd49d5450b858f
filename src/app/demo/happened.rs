//! An event that is told, without its place in the log.

use chrono::{DateTime, Utc};

use crate::contracts::Meta;
use crate::domain::OrderId;
use crate::event_store::NewEvent;

/// What happened, and to which stream.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) stream_id: String,
    pub(super) partition_key: String,
    pub(super) version: i32,
    pub(super) event: NewEvent,
}

impl Told {
    /// In a stream that lives where the order does.
    pub(super) fn about(order_id: OrderId, stream_id: String, version: i32, event: NewEvent) -> Self {
        Self { stream_id, partition_key: order_id.to_string(), version, event }
    }
}

/// And when, and because of what.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Happened {
    /// Never before the one it follows.
    pub(super) at: DateTime<Utc>,
    pub(super) stream_id: String,
    pub(super) partition_key: String,
    pub(super) version: i32,
    pub(super) event: NewEvent,
    pub(super) meta: Meta,
}
