//! Every event can be read, and its payload names the stream it is in.

use uuid::Uuid;

use super::LogCheck;
use crate::checker::finding::Finding;
use crate::checker::row::Row;
use crate::wire::event::Event;
use crate::wire::stream::Stream;

pub const READABLE: &str = "every event can be read and is in the stream it names";

pub struct Readable(Finding);

impl Default for Readable {
    fn default() -> Self {
        Self(Finding::of(READABLE))
    }
}

impl LogCheck for Readable {
    fn row(&mut self, row: &Row) {
        let complaint = complaint(row);
        self.0.check(complaint.is_none(), || format!("{}: {}", row.name(), complaint.unwrap_or_default()));
    }

    fn findings(self: Box<Self>) -> Vec<Finding> {
        vec![self.0]
    }
}

fn complaint(row: &Row) -> Option<String> {
    if let Event::Unreadable(why) = &row.event {
        return Some(why.clone());
    }
    let of_order = |id: Uuid| (row.event.order() != Some(id)).then(|| "the payload names another order".to_owned());
    match row.stream {
        Stream::Malformed => Some("no such stream can be".into()),
        Stream::Order(id) | Stream::Inventory(id) => {
            let kind = if matches!(row.stream, Stream::Order(_)) { "order." } else { "inventory." };
            let own = row.event_type.starts_with(kind);
            if own { of_order(id) } else { Some("a type that does not belong here".into()) }
        }
        Stream::Receipt => {
            (!matches!(row.event, Event::StockReceived { .. })).then(|| "a type that does not belong here".into())
        }
        Stream::Notification(_) => {
            (!row.event_type.starts_with("notification.")).then(|| "a type that does not belong here".into())
        }
        Stream::Product | Stream::Other => {
            row.event.order().is_some().then(|| "a type that does not belong here".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::checks::{judge, violated};
    use crate::checker::row::fabricated::{inventory, order, order_id, received, row};

    #[test]
    fn the_events_of_an_order_can_be_read() {
        let rows = [
            order(1, 1, 1, "order.created"),
            inventory(2, 1, 1, "inventory.reserved", 2),
            order(3, 1, 2, "order.confirmed"),
            received(4, 5, 1),
            row(5, "product:a", 1, "product.updated", "{}"),
        ];
        assert_eq!(violated(&judge(Readable::default(), &rows)), [""; 0]);
    }

    #[test]
    fn rubbish_a_foreign_payload_and_a_foreign_type_are_found() {
        let mut foreign = order(1, 1, 1, "order.created");
        foreign.stream = Stream::Order(order_id(2));
        let rubbish = row(1, &format!("order:{}", order_id(1)), 1, "order.created", "not json");
        let type_of_another = row(1, &format!("order:{}", order_id(1)), 1, "inventory.reserved", "{}");
        let malformed = row(1, "order:1", 1, "order.noted", "{}");
        for row in [foreign, rubbish, type_of_another, malformed] {
            assert_eq!(violated(&judge(Readable::default(), std::slice::from_ref(&row))), [READABLE], "{}", row.name());
        }
    }
}
