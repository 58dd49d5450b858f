//! Notifications: who must be told what. Sending is another matter.

mod event;

pub use event::{Event, NotificationRequested, Template};

/// Prefix of the streams that hold what becomes of one notification.
pub const STREAM: &str = "notification";
