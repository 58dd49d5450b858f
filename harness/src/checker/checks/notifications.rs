//! Customers are told of what concerns them, each thing once.

use std::collections::HashMap;

use uuid::Uuid;

use super::LogCheck;
use crate::checker::finding::Finding;
use crate::checker::row::Row;
use crate::wire::digest::Digest;
use crate::wire::event::Event;
use crate::wire::stream::Stream;

pub const ONCE: &str = "one notification.requested per notification stream";
pub const TOLD: &str = "one notification for each created, confirmed, rejected and shipped";

#[derive(Default)]
struct Known {
    owed: u32,
    streams: u32,
}

pub struct Notifications {
    /// Requests per notification stream.
    requests: HashMap<Digest, (Uuid, u32)>,
    known: HashMap<Uuid, Known>,
    once: Finding,
    told: Finding,
}

impl Default for Notifications {
    fn default() -> Self {
        Self { requests: HashMap::new(), known: HashMap::new(), once: Finding::of(ONCE), told: Finding::of(TOLD) }
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
                    self.known.entry(id).or_default().streams += 1;
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
        for (id, Known { owed, streams }) in self.known.drain() {
            self.told
                .check(owed == streams, || format!("order {id}: {owed} events to tell of, {streams} notifications"));
        }
    }

    fn findings(self: Box<Self>) -> Vec<Finding> {
        vec![self.once, self.told]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::checks::{judge, violated};
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
    fn a_notification_without_cause_is_found() {
        assert_eq!(violated_by(&[notification(1, 1, "order-created", 1)]), [TOLD]);
    }
}
