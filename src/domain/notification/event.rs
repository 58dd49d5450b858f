//! What can have happened to a notification. These structs are the wire format.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::event::events;
use crate::domain::{OrderId, UserId};

events! {
    /// What happened to a notification.
    pub enum Event {
        /// It was decided that someone must be told.
        "notification.requested" => Requested(NotificationRequested),
    }
}

/// Which message is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// We have your order.
    OrderCreated,
    /// Your order is confirmed.
    OrderConfirmed,
    /// We could not serve your order.
    OrderRejected,
    /// Your order is on its way.
    OrderShipped,
}

impl Template {
    /// The word used in stream ids and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrderCreated => "order_created",
            Self::OrderConfirmed => "order_confirmed",
            Self::OrderRejected => "order_rejected",
            Self::OrderShipped => "order_shipped",
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `notification.requested`: once per (order, template).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotificationRequested {
    /// About which order.
    pub order_id: OrderId,
    /// Who is to be told.
    pub user_id: UserId,
    /// What.
    pub template: Template,
}
