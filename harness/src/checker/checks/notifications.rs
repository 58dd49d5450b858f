//! Customers are told of what concerns them, each thing once.

use std::collections::HashMap;

use uuid::Uuid;

use super::LogCheck;
use crate::checker::finding::Finding;
use crate::checker::letters::Discarded;
use crate::checker::row::Row;
use crate::wire::digest::Digest;
use crate::wire::event::Event;
use crate::wire::stream::Stream;

pub const ONCE: &str = "one notification.requested per notification stream";
pub const TOLD: &str = "one notification for each created, confirmed, rejected and shipped";
pub const IN_ORDER: &str = "customers are told in the order in which it happened";

#[derive(Default)]
struct Known {
    owed: u32,
    streams: u32,
    /// How far in the order's life the last notification was.
    told: u8,
}

pub struct Notifications {
    /// Requests per notification stream.
    requests: HashMap<Digest, (Uuid, u32)>,
    known: HashMap<Uuid, Known>,
    once: Finding,
    told: Finding,
    in_order: Finding,
    discarded: Discarded,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            requests: HashMap::new(),
            known: HashMap::new(),
            once: Finding::of(ONCE),
            told: Finding::of(TOLD),
            in_order: Finding::of(IN_ORDER),
            discarded: Discarded::default(),
        }
    }
}

impl Notifications {
    pub fn but(discarded: Discarded) -> Self {
        Self { discarded, ..Self::default() }
    }
}

/// How far in an order's life a notification is, by its stream.
fn stage(stream_id: &str) -> u8 {
    match stream_id.rsplit(':').next() {
        Some("order-created") => 1,
        Some("order-confirmed" | "order-rejected") => 2,
        Some("order-shipped") => 3,
        _ => 0,
    }
}

impl LogCheck for Notifications {
    fn row(&mut self, row: &Row) {
        match (row.stream, &row.event) {
            (
                Stream::Order(id),
                Event::Created { .. } | Event::Confirmed { .. } | Event::Rejected { .. } | Event::Shipped { .. },
            ) => self.known.entry(id).or_default().owed += 1,
            (Stream::Notification(id), event) => {
                let (_, requests) = self.requests.entry(Digest::of(row.stream_id.as_str())).or_insert((id, 0));
                if *requests == 0 {
                    let (known, stage) = (self.known.entry(id).or_default(), stage(&row.stream_id));
                    known.streams += 1;
                    self.in_order.check(stage >= known.told, || row.name());
                    known.told = stage;
                }
                *requests += u32::from(*event == Event::NotificationRequested);
            }
            _ => (),
        }
    }

    fn end_of_partition(&mut self, _partition: i16, _head: i64) {
        for (_, (id, requests)) in self.requests.drain() {
            self.once.check(requests == 1, || format!("order {id}: {requests} requests in one notification stream"));
        }
        for (id, Known { owed, streams, .. }) in self.known.drain() {
            let left_out = self.discarded.untold.get(&id).copied().unwrap_or(0);
            self.told.check(owed == streams + left_out, || {
                format!("order {id}: {owed} events to tell of, {streams} notifications")
            });
        }
    }

    fn findings(self: Box<Self>) -> Vec<Finding> {
        vec![self.once, self.told, self.in_order]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::checks::{judge, violated};
    use crate::checker::letters::fabricated::letter;
    use crate::checker::row::fabricated::{notification, order};

    fn violated_by(rows: &[Row]) -> Vec<&'static str> {
        violated(&judge(Notifications::default(), rows))
    }

    #[test]
    fn a_customer_told_once_of_each_is_right() {
        let rows = [
            order(1, 1, 1, "order.created"),
            notification(2, 1, "order-created", 1),
            order(3, 1, 2, "order.confirmed"),
            notification(4, 1, "order-confirmed", 1),
        ];
        assert_eq!(violated_by(&rows), [""; 0]);
    }

    #[test]
    fn a_request_made_twice_is_found() {
        let rows = [
            order(1, 1, 1, "order.created"),
            notification(2, 1, "order-created", 1),
            notification(3, 1, "order-created", 2),
        ];
        assert_eq!(violated_by(&rows), [ONCE]);
    }

    #[test]
    fn a_customer_not_told_is_found() {
        assert_eq!(violated_by(&[order(1, 1, 1, "order.created")]), [TOLD]);
    }

    #[test]
    fn a_customer_told_of_the_end_before_the_beginning_is_found() {
        let rows = [
            order(1, 1, 1, "order.created"),
            order(2, 1, 2, "order.confirmed"),
            notification(3, 1, "order-confirmed", 1),
            notification(4, 1, "order-created", 1),
        ];
        assert_eq!(violated_by(&rows), [IN_ORDER]);
    }

    #[test]
    fn a_notification_that_was_discarded_is_not_missed() {
        let discarded = Discarded::of(&[letter("notification", "order", 1, "order.created", "discarded")]);
        let rows = [order(1, 1, 1, "order.created")];
        assert_eq!(violated(&judge(Notifications::but(discarded), &rows)), [""; 0]);
    }

    #[test]
    fn a_notification_without_cause_is_found() {
        assert_eq!(violated_by(&[notification(1, 1, "order-created", 1)]), [TOLD]);
    }
}
