//! One event of the log, as stored and as read.

use crate::wire::event::Event;
use crate::wire::stream::Stream;

#[derive(Clone, Debug)]
pub struct Row {
    pub partition: i16,
    pub position: i64,
    pub stream_id: String,
    pub version: i32,
    pub partition_key: String,
    pub event_type: String,
    pub payload: String,
    pub stream: Stream,
    pub event: Event,
}

impl Row {
    /// How offenders name an event.
    pub fn name(&self) -> String {
        format!("{}:{} {} v{} {}", self.partition, self.position, self.stream_id, self.version, self.event_type)
    }
}

#[cfg(test)]
pub(crate) mod fabricated {
    use uuid::Uuid;

    use super::Row;
    use crate::wire::event::Event;
    use crate::wire::stream::Stream;

    pub fn row(position: i64, stream_id: &str, version: i32, event_type: &str, payload: &str) -> Row {
        Row {
            partition: 0,
            position,
            stream_id: stream_id.into(),
            version,
            partition_key: stream_id.split(':').nth(1).unwrap_or_default().into(),
            event_type: event_type.into(),
            payload: payload.into(),
            stream: Stream::parse(stream_id),
            event: Event::read(event_type, payload),
        }
    }

    pub fn order_id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    /// An event of an order's own stream; `order.created` asks for two of `a`.
    pub fn order(position: i64, number: u128, version: i32, event_type: &str) -> Row {
        let id = order_id(number);
        let payload = format!(
            r#"{{"orderId":"{id}","userId":"user-{number}","items":[{{"productId":"a","quantity":2}}],"reason":"r"}}"#
        );
        row(position, &format!("order:{id}"), version, event_type, &payload)
    }

    pub fn inventory(position: i64, number: u128, version: i32, event_type: &str, quantity: i64) -> Row {
        let id = order_id(number);
        let payload = format!(
            r#"{{"orderId":"{id}","items":[{{"productId":"a","quantity":{quantity}}}],
            "missing":[{{"productId":"a","requested":{quantity},"available":1}}]}}"#
        );
        row(position, &format!("inventory:{id}"), version, event_type, &payload)
    }

    pub fn received(position: i64, number: u128, quantity: i64) -> Row {
        let id = order_id(number);
        let payload = format!(r#"{{"receiptId":"{id}","productId":"a","quantity":{quantity}}}"#);
        row(position, &format!("receipt:{id}"), 1, "inventory.received", &payload)
    }

    pub fn notification(position: i64, number: u128, template: &str, version: i32) -> Row {
        let id = order_id(number);
        row(position, &format!("notification:{id}:{template}"), version, "notification.requested", "{}")
    }
}
