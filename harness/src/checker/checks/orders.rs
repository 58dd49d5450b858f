//! Every order lives as it may, is decided once, and is not left undecided.

use std::collections::HashMap;

use uuid::Uuid;

use super::LogCheck;
use super::life::Life;
use crate::checker::finding::Finding;
use crate::checker::letters::Discarded;
use crate::checker::row::Row;
use crate::wire::event::Event;
use crate::wire::stream::Stream;

pub const ALLOWED: &str = "every event of an order is allowed by what came before";
pub const DECIDED_ONCE: &str = "an order is confirmed or rejected at most once, never both";
pub const OUTCOME: &str = "every order has one outcome: confirmed, rejected or cancelled";

#[derive(Default)]
struct Known {
    life: Option<Life>,
    confirmed: u8,
    rejected: u8,
    cancelled: u8,
}

impl Known {
    /// Cancelling is open to a confirmed order and is then its outcome; a rejected one has no other.
    fn has_one_outcome(&self) -> bool {
        match (self.confirmed, self.rejected, self.cancelled) {
            (0, 1, 0) => true,
            (confirmed, 0, cancelled) => confirmed <= 1 && cancelled <= 1 && confirmed + cancelled > 0,
            _ => false,
        }
    }
}

pub struct Orders {
    known: HashMap<Uuid, Known>,
    allowed: Finding,
    decided_once: Finding,
    outcome: Finding,
    discarded: Discarded,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            allowed: Finding::of(ALLOWED),
            decided_once: Finding::of(DECIDED_ONCE),
            outcome: Finding::of(OUTCOME),
            discarded: Discarded::default(),
        }
    }
}

impl Orders {
    pub fn but(discarded: Discarded) -> Self {
        Self { discarded, ..Self::default() }
    }
}

impl LogCheck for Orders {
    fn row(&mut self, row: &Row) {
        let Stream::Order(id) = row.stream else {
            return;
        };
        let known = self.known.entry(id).or_default();
        let next = Life::after(known.life, &row.event);
        self.allowed.check(next.is_some(), || match known.life {
            None => format!("{} before the order was created", row.name()),
            Some(life) => format!("{} in state {life:?}", row.name()),
        });
        known.life = next.or(known.life);
        let count = match row.event {
            Event::Confirmed { .. } => &mut known.confirmed,
            Event::Rejected { .. } => &mut known.rejected,
            Event::Cancelled { .. } => &mut known.cancelled,
            _ => return,
        };
        *count = count.saturating_add(1);
    }

    fn end_of_partition(&mut self, _partition: i16, _head: i64) {
        for (id, known) in self.known.drain() {
            let Known { confirmed, rejected, cancelled, .. } = known;
            let counts = || format!("order {id}: {confirmed} confirmed, {rejected} rejected, {cancelled} cancelled");
            self.decided_once.check(confirmed.saturating_add(rejected) <= 1, counts);
            let is_excused = self.discarded.leaves_open(id) && (confirmed, rejected, cancelled) == (0, 0, 0);
            self.outcome.check(known.has_one_outcome() || is_excused, counts);
        }
    }

    fn findings(self: Box<Self>) -> Vec<Finding> {
        vec![self.allowed, self.decided_once, self.outcome]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::checks::{judge, violated};
    use crate::checker::row::fabricated::order;

    fn story(types: &[&str]) -> Vec<&'static str> {
        let rows: Vec<Row> =
            (1..).zip(types).map(|(version, kind)| order(i64::from(version), 1, version, kind)).collect();
        violated(&judge(Orders::default(), &rows))
    }

    #[test]
    fn the_lives_of_the_design_are_allowed() {
        for types in [
            &["order.created", "order.confirmed", "order.shipped", "order.delivered"][..],
            &["order.created", "order.rejected"],
            &["order.created", "order.cancelled"],
            &["order.created", "order.confirmed", "order.cancelled"],
        ] {
            assert_eq!(story(types), [""; 0], "{types:?}");
        }
    }

    #[test]
    fn an_undecided_order_is_found() {
        assert_eq!(story(&["order.created"]), [OUTCOME]);
    }

    #[test]
    fn an_order_decided_twice_or_both_ways_is_found() {
        for second in ["order.confirmed", "order.rejected"] {
            let all = [ALLOWED, DECIDED_ONCE, OUTCOME];
            assert_eq!(story(&["order.created", "order.confirmed", second]), all, "{second}");
        }
    }

    #[test]
    fn a_rejected_order_that_is_cancelled_too_is_found() {
        assert_eq!(story(&["order.created", "order.rejected", "order.cancelled"]), [ALLOWED, OUTCOME]);
    }

    #[test]
    fn an_order_that_was_never_created_is_found() {
        assert_eq!(story(&["order.confirmed"]), [ALLOWED]);
    }

    #[test]
    fn a_processing_order_cannot_be_shipped() {
        assert_eq!(story(&["order.created", "order.shipped", "order.confirmed"]), [ALLOWED]);
    }
}
