//! What can have happened to an order. These structs are the wire format: their JSON is stored and published.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::state::Status;
use crate::domain::event::events;
use crate::domain::{Currency, OrderId, ProductId, UserId};

events! {
    /// What happened to an order.
    pub enum Event {
        /// Accepted, waiting for inventory.
        "order.created" => Created(OrderCreated),
        /// Inventory has reserved everything.
        "order.confirmed" => Confirmed(OrderMoved),
        /// Inventory could not.
        "order.rejected" => Rejected(OrderRejected),
        /// Withdrawn; what was reserved is to be released.
        "order.cancelled" => Cancelled(OrderMoved),
        /// Left the house.
        "order.shipped" => Shipped(Ended),
        /// Arrived.
        "order.delivered" => Delivered(Ended),
    }
}

/// One line of an order, with the price it was taken at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// What.
    pub product_id: ProductId,
    /// How many, 1 to 1,000,000.
    pub quantity: u32,
    /// Price of one, in minor units of the order's currency.
    pub unit_price: i64,
    /// Version of the product that named this price.
    pub product_version: u32,
}

/// A line inventory could not serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingLine {
    /// What was asked for.
    pub product_id: ProductId,
    /// How many were asked for.
    pub requested: u32,
    /// How many were there.
    pub available: i64,
}

/// `order.created`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderCreated {
    /// The order.
    pub order_id: OrderId,
    /// Who ordered.
    pub user_id: UserId,
    /// What, merged by product, sorted by product.
    pub items: Vec<Line>,
    /// Sum of the lines in minor units.
    pub total_amount: i64,
    /// Currency of every price.
    pub currency: Currency,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
}

/// `order.confirmed` and `order.cancelled`: everything a fold needs, so that no reader looks elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderMoved {
    /// The order.
    pub order_id: OrderId,
    /// Who ordered.
    pub user_id: UserId,
    /// What.
    pub items: Vec<Line>,
    /// Sum of the lines in minor units.
    pub total_amount: i64,
    /// Currency of every price.
    pub currency: Currency,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it was confirmed, if it ever was.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Why, where it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `order.rejected`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderRejected {
    /// The order.
    pub order_id: OrderId,
    /// Who ordered.
    pub user_id: UserId,
    /// Sum of the lines in minor units.
    pub total_amount: i64,
    /// Currency of every price.
    pub currency: Currency,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// Always null: a rejected order was never confirmed.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Why, as a code.
    pub reason: String,
    /// The lines that were short.
    #[serde(default)]
    pub missing: Vec<MissingLine>,
}

/// `order.shipped` and `order.delivered`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// The order.
    pub order_id: OrderId,
    /// Who ordered.
    pub user_id: UserId,
    /// Sum of the lines in minor units.
    pub total_amount: i64,
    /// Currency of every price.
    pub currency: Currency,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it was confirmed.
    pub confirmed_at: Option<DateTime<Utc>>,
}

impl Event {
    /// The order it happened to.
    #[must_use]
    pub fn order_id(&self) -> OrderId {
        match self {
            Self::Created(created) => created.order_id,
            Self::Confirmed(moved) | Self::Cancelled(moved) => moved.order_id,
            Self::Rejected(rejected) => rejected.order_id,
            Self::Shipped(ended) | Self::Delivered(ended) => ended.order_id,
        }
    }

    /// Currency of the order.
    #[must_use]
    pub fn currency(&self) -> Currency {
        match self {
            Self::Created(created) => created.currency,
            Self::Confirmed(moved) | Self::Cancelled(moved) => moved.currency,
            Self::Rejected(rejected) => rejected.currency,
            Self::Shipped(ended) | Self::Delivered(ended) => ended.currency,
        }
    }

    /// When the order was accepted.
    #[must_use]
    pub fn created_at(&self) -> DateTime<Utc> {
        match self {
            Self::Created(created) => created.created_at,
            Self::Confirmed(moved) | Self::Cancelled(moved) => moved.created_at,
            Self::Rejected(rejected) => rejected.created_at,
            Self::Shipped(ended) | Self::Delivered(ended) => ended.created_at,
        }
    }

    /// Where the order stands after it.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Created(_) => Status::Processing,
            Self::Confirmed(_) => Status::Confirmed,
            Self::Rejected(_) => Status::Rejected,
            Self::Cancelled(_) => Status::Cancelled,
            Self::Shipped(_) => Status::Shipped,
            Self::Delivered(_) => Status::Delivered,
        }
    }
}
