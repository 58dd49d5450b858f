//! Events as the log stores them, read as far as the checks need.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::lines::{Line, Lines};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Created {
        order: Uuid,
        user: String,
        lines: Lines,
    },
    Confirmed {
        order: Uuid,
    },
    Rejected {
        order: Uuid,
    },
    Cancelled {
        order: Uuid,
    },
    Shipped {
        order: Uuid,
    },
    Delivered {
        order: Uuid,
    },
    StockReserved {
        order: Uuid,
        lines: Lines,
    },
    StockRejected {
        order: Uuid,
        missing: Vec<Missing>,
    },
    StockReleased {
        order: Uuid,
        lines: Lines,
    },
    StockShipped {
        order: Uuid,
        lines: Lines,
    },
    StockReceived {
        product: String,
        quantity: i64,
    },
    NotificationRequested,
    /// A type that these programs do not judge.
    Other,
    /// A known type whose payload says something else than it should.
    Unreadable(String),
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    pub product_id: String,
    pub requested: i64,
    pub available: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfOrder {
    order_id: Uuid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithLines {
    order_id: Uuid,
    items: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreatedPayload {
    order_id: Uuid,
    user_id: String,
    items: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RejectedPayload {
    order_id: Uuid,
    missing: Vec<Missing>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedPayload {
    product_id: String,
    quantity: i64,
}

impl Event {
    pub fn read(event_type: &str, payload: &str) -> Self {
        match event_type {
            "order.created" => read(payload, |p: CreatedPayload| Self::Created {
                order: p.order_id,
                user: p.user_id,
                lines: Lines::merged(p.items),
            }),
            "order.confirmed" => read(payload, |p: OfOrder| Self::Confirmed { order: p.order_id }),
            "order.rejected" => read(payload, |p: OfOrder| Self::Rejected { order: p.order_id }),
            "order.cancelled" => read(payload, |p: OfOrder| Self::Cancelled { order: p.order_id }),
            "order.shipped" => read(payload, |p: OfOrder| Self::Shipped { order: p.order_id }),
            "order.delivered" => read(payload, |p: OfOrder| Self::Delivered { order: p.order_id }),
            "inventory.reserved" => with_lines(payload, |order, lines| Self::StockReserved { order, lines }),
            "inventory.released" => with_lines(payload, |order, lines| Self::StockReleased { order, lines }),
            "inventory.shipped" => with_lines(payload, |order, lines| Self::StockShipped { order, lines }),
            "inventory.rejected" => {
                read(payload, |p: RejectedPayload| Self::StockRejected { order: p.order_id, missing: p.missing })
            }
            "inventory.received" => {
                read(payload, |p: ReceivedPayload| Self::StockReceived { product: p.product_id, quantity: p.quantity })
            }
            "notification.requested" => Self::NotificationRequested,
            _ => Self::Other,
        }
    }

    /// The order that the payload names, of events that belong to one.
    pub fn order(&self) -> Option<Uuid> {
        match self {
            Self::Created { order, .. }
            | Self::Confirmed { order }
            | Self::Rejected { order }
            | Self::Cancelled { order }
            | Self::Shipped { order }
            | Self::Delivered { order }
            | Self::StockReserved { order, .. }
            | Self::StockRejected { order, .. }
            | Self::StockReleased { order, .. }
            | Self::StockShipped { order, .. } => Some(*order),
            Self::StockReceived { .. } | Self::NotificationRequested | Self::Other | Self::Unreadable(_) => None,
        }
    }
}

fn read<P: DeserializeOwned>(payload: &str, event: impl FnOnce(P) -> Event) -> Event {
    serde_json::from_str(payload).map_or_else(|error| Event::Unreadable(error.to_string()), event)
}

fn with_lines(payload: &str, event: fn(Uuid, Lines) -> Event) -> Event {
    read(payload, |p: WithLines| event(p.order_id, Lines::merged(p.items)))
}

#[cfg(test)]
mod tests {
    use super::super::lines::lines;
    use super::*;

    #[test]
    fn a_created_order_is_read_with_its_lines_merged() {
        let order = Uuid::from_u128(1);
        let payload = format!(
            r#"{{"orderId":"{order}","userId":"u","items":[{{"productId":"a","quantity":2,"unitPrice":5,"productVersion":1}},
            {{"productId":"a","quantity":1,"unitPrice":5,"productVersion":1}}],"totalAmount":15,"currency":"EUR","createdAt":"x"}}"#
        );
        let expected = Event::Created { order, user: "u".into(), lines: lines(&[("a", 3)]) };
        assert_eq!(Event::read("order.created", &payload), expected);
    }

    #[test]
    fn a_payload_without_its_order_is_unreadable() {
        assert!(matches!(Event::read("order.confirmed", "{}"), Event::Unreadable(_)));
    }
}
