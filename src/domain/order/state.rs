//! What an order is, as a fold of its events.

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{Event, Line, OrderCreated};
use crate::domain::{Currency, OrderId, UserId};

/// Where an order stands, as shown to customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted; inventory has not decided yet.
    Processing,
    /// Stock is reserved.
    Confirmed,
    /// Stock was short.
    Rejected,
    /// Withdrawn.
    Cancelled,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
}

impl Status {
    /// The word used on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What stays true of an order whatever becomes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Which.
    pub order_id: OrderId,
    /// Whose.
    pub user_id: UserId,
    /// What.
    pub items: Box<[Line]>,
    /// Sum in minor units.
    pub total_amount: i64,
    /// Currency of the sum.
    pub currency: Currency,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it was confirmed, if it was.
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// An order by phase, so that what cannot be is not representable.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Order {
    /// Nothing has happened yet.
    #[default]
    Absent,
    /// Waiting for inventory.
    Processing(Facts),
    /// Reserved.
    Confirmed(Facts),
    /// Short of stock.
    Rejected(Facts),
    /// Withdrawn.
    Cancelled(Facts),
    /// On its way.
    Shipped(Facts),
    /// Arrived.
    Delivered(Facts),
}

impl Order {
    /// Its status; `None` before anything happened.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        match self {
            Self::Absent => None,
            Self::Processing(_) => Some(Status::Processing),
            Self::Confirmed(_) => Some(Status::Confirmed),
            Self::Rejected(_) => Some(Status::Rejected),
            Self::Cancelled(_) => Some(Status::Cancelled),
            Self::Shipped(_) => Some(Status::Shipped),
            Self::Delivered(_) => Some(Status::Delivered),
        }
    }

    pub(super) fn folded(self, event: &Event) -> Self {
        match event {
            Event::Created(created) => Self::Processing(Facts::from(created)),
            Event::Confirmed(moved) => self.moved(Self::Confirmed, moved.confirmed_at),
            Event::Rejected(_) => self.moved(Self::Rejected, None),
            Event::Cancelled(moved) => self.moved(Self::Cancelled, moved.confirmed_at),
            Event::Shipped(ended) => self.moved(Self::Shipped, ended.confirmed_at),
            Event::Delivered(ended) => self.moved(Self::Delivered, ended.confirmed_at),
        }
    }

    fn moved(self, phase: fn(Facts) -> Self, confirmed_at: Option<DateTime<Utc>>) -> Self {
        match self {
            // A stream begins with its creation; an order that moved before it was created is no order.
            Self::Absent => Self::Absent,
            Self::Processing(facts)
            | Self::Confirmed(facts)
            | Self::Rejected(facts)
            | Self::Cancelled(facts)
            | Self::Shipped(facts)
            | Self::Delivered(facts) => phase(Facts { confirmed_at, ..facts }),
        }
    }
}

impl From<&OrderCreated> for Facts {
    fn from(created: &OrderCreated) -> Self {
        Self {
            order_id: created.order_id,
            user_id: created.user_id.clone(),
            items: created.items.clone().into_boxed_slice(),
            total_amount: created.total_amount,
            currency: created.currency,
            created_at: created.created_at,
            confirmed_at: None,
        }
    }
}
