//! Names of streams, and the topic each belongs to.

use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Order(Uuid),
    Inventory(Uuid),
    Receipt,
    Product,
    /// `notification:<cause>:<template>` whose cause is an order.
    Notification(Uuid),
    /// A kind of stream that these programs do not judge.
    Other,
    /// A kind that is judged, with an id that has no place there.
    Malformed,
}

impl Stream {
    pub fn parse(stream_id: &str) -> Self {
        let Some((kind, id)) = stream_id.split_once(':') else {
            return Self::Malformed;
        };
        let uuid = |text: &str, of: fn(Uuid) -> Self| text.parse().map_or(Self::Malformed, of);
        match kind {
            "order" => uuid(id, Self::Order),
            "inventory" => uuid(id, Self::Inventory),
            "receipt" if id.parse::<Uuid>().is_ok() => Self::Receipt,
            "product" if !id.is_empty() => Self::Product,
            "receipt" | "product" => Self::Malformed,
            // The cause may also be a report or a user; only an order's is a UUID with orders' events behind it.
            "notification" => match id.split_once(':') {
                Some((cause, template)) if !template.is_empty() => {
                    cause.parse().map_or(Self::Other, Self::Notification)
                }
                _ => Self::Malformed,
            },
            _ => Self::Other,
        }
    }
}

/// Topics that keep the whole history of their streams, in order.
pub const EVENT_TOPICS: [&str; 4] = ["order.events", "inventory.events", "product.events", "notification.events"];

/// The index in [`EVENT_TOPICS`] of the topic of a stream; `None` for topics that are not judged here.
pub fn topic_index(stream_id: &str) -> Option<usize> {
    match stream_id.split(':').next()? {
        "order" => Some(0),
        "inventory" | "receipt" => Some(1),
        "product" => Some(2),
        "notification" => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_stream_names_its_order() {
        let id = Uuid::from_u128(7);
        assert_eq!(Stream::parse(&format!("notification:{id}:order-confirmed")), Stream::Notification(id));
        assert_eq!(Stream::parse(&format!("notification:{id}")), Stream::Malformed);
    }

    #[test]
    fn an_order_without_uuid_is_malformed() {
        assert_eq!(Stream::parse("order:12"), Stream::Malformed);
        assert_eq!(Stream::parse("order"), Stream::Malformed);
    }

    #[test]
    fn receipts_travel_with_inventory() {
        assert_eq!(topic_index("receipt:1").map(|i| EVENT_TOPICS[i]), Some("inventory.events"));
        assert_eq!(topic_index("user:1"), None);
    }
}
