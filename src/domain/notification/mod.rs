//! Notifications: who must be told what. Sending is another matter.

mod event;

pub use event::{Event, NotificationRequested, Template};

use super::OrderId;

/// Prefix of the streams that hold what becomes of one notification.
pub const STREAM: &str = "notification";

/// The stream of the message of this kind about this order: there is one at most.
#[must_use]
pub fn stream_of(order_id: OrderId, template: Template) -> String {
    format!("{STREAM}:{order_id}:{template}")
}
