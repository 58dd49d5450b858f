//! What inventory decided about an order, and that the order followed it.

use std::collections::HashMap;

use uuid::Uuid;

use super::LogCheck;
use crate::checker::finding::Finding;
use crate::checker::letters::Discarded;
use crate::checker::row::Row;
use crate::wire::digest::Digest;
use crate::wire::event::{Event, Missing};
use crate::wire::stream::Stream;

pub const ONE_DECISION: &str = "inventory decides once about every order";
pub const FOLLOWED: &str = "confirmed only after reserved, rejected only after inventory.rejected";
pub const SAME_LINES: &str = "inventory reserves, releases and ships the order's lines";
pub const JUSTIFIED: &str = "inventory rejects only what was missing";
pub const GIVEN_BACK: &str = "stock is released once by cancelling, shipped once by shipping, else held";

#[derive(Default)]
struct Known {
    lines: Option<Digest>,
    reserved: u8,
    rejected: u8,
    released: u8,
    taken_out: u8,
    cancelled: bool,
    shipped: bool,
}

impl Known {
    fn stock_follows_order(&self) -> bool {
        let released = u8::from(self.cancelled && self.reserved > 0);
        self.released == released && self.taken_out == u8::from(self.shipped)
    }
}

pub struct Reservations {
    known: HashMap<Uuid, Known>,
    one_decision: Finding,
    followed: Finding,
    same_lines: Finding,
    justified: Finding,
    given_back: Finding,
    discarded: Discarded,
}

impl Default for Reservations {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            one_decision: Finding::of(ONE_DECISION),
            followed: Finding::of(FOLLOWED),
            same_lines: Finding::of(SAME_LINES),
            justified: Finding::of(JUSTIFIED),
            given_back: Finding::of(GIVEN_BACK),
            discarded: Discarded::default(),
        }
    }
}

impl Reservations {
    pub fn but(discarded: Discarded) -> Self {
        Self { discarded, ..Self::default() }
    }
}

impl LogCheck for Reservations {
    /// An order and its inventory decision share a partition, so causes have lower positions than their effects.
    fn row(&mut self, row: &Row) {
        let (Stream::Order(id) | Stream::Inventory(id)) = row.stream else {
            return;
        };
        let known = self.known.entry(id).or_default();
        match &row.event {
            Event::Created { lines, .. } => known.lines = Some(lines.digest()),
            Event::Confirmed { .. } => self.followed.check(known.reserved > 0, || row.name()),
            Event::Rejected { .. } => self.followed.check(known.rejected > 0, || row.name()),
            Event::Cancelled { .. } => known.cancelled = true,
            Event::Shipped { .. } => known.shipped = true,
            Event::StockRejected { missing, .. } => {
                known.rejected = known.rejected.saturating_add(1);
                self.justified.check(is_justified(missing), || format!("{} lists {missing:?}", row.name()));
            }
            Event::StockReserved { lines, .. } => {
                known.reserved = known.reserved.saturating_add(1);
                self.same_lines.check(known.lines == Some(lines.digest()), || row.name());
            }
            Event::StockReleased { lines, .. } => {
                known.released = known.released.saturating_add(1);
                self.same_lines.check(known.lines == Some(lines.digest()), || row.name());
            }
            Event::StockShipped { lines, .. } => {
                known.taken_out = known.taken_out.saturating_add(1);
                self.same_lines.check(known.lines == Some(lines.digest()), || row.name());
            }
            Event::Delivered { .. }
            | Event::StockReceived { .. }
            | Event::NotificationRequested
            | Event::Other
            | Event::Unreadable(_) => (),
        }
    }

    fn end_of_partition(&mut self, _partition: i16, _head: i64) {
        for (id, known) in self.known.drain() {
            let Known { reserved, rejected, released, taken_out, cancelled, shipped, .. } = known;
            let owed = u8::from(!self.discarded.undecided.contains(&id));
            self.one_decision.check(known.lines.is_some() && reserved.saturating_add(rejected) == owed, || {
                let created = if known.lines.is_some() { "" } else { " (never created)" };
                format!("order {id}{created}: {reserved} reserved, {rejected} rejected")
            });
            self.given_back.check(known.stock_follows_order(), || {
                format!(
                    "order {id}: {reserved} reserved, {released} released (cancelled: {cancelled}), \
                     {taken_out} shipped (order shipped: {shipped})"
                )
            });
        }
    }

    fn findings(self: Box<Self>) -> Vec<Finding> {
        vec![self.one_decision, self.followed, self.same_lines, self.justified, self.given_back]
    }
}

fn is_justified(missing: &[Missing]) -> bool {
    !missing.is_empty() && missing.iter().all(|line| line.requested > line.available && line.available >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::checks::{judge, violated};
    use crate::checker::row::fabricated::{inventory, order};

    fn violated_by(rows: &[Row]) -> Vec<&'static str> {
        violated(&judge(Reservations::default(), rows))
    }

    #[test]
    fn the_usual_stories_hold() {
        let created = || order(1, 1, 1, "order.created");
        let reserved = || inventory(2, 1, 1, "inventory.reserved", 2);
        for rows in [
            vec![created(), reserved(), order(3, 1, 2, "order.confirmed")],
            vec![created(), inventory(2, 1, 1, "inventory.rejected", 2), order(3, 1, 2, "order.rejected")],
            vec![created(), reserved(), order(3, 1, 2, "order.cancelled"), inventory(4, 1, 2, "inventory.released", 2)],
            vec![
                created(),
                reserved(),
                order(3, 1, 2, "order.confirmed"),
                order(4, 1, 3, "order.shipped"),
                inventory(5, 1, 2, "inventory.shipped", 2),
            ],
        ] {
            assert_eq!(violated_by(&rows), [""; 0]);
        }
    }

    #[test]
    fn an_order_that_inventory_never_saw_or_decided_twice_is_found() {
        assert_eq!(violated_by(&[order(1, 1, 1, "order.created")]), [ONE_DECISION]);
        let twice = [
            order(1, 1, 1, "order.created"),
            inventory(2, 1, 1, "inventory.reserved", 2),
            inventory(3, 1, 2, "inventory.rejected", 2),
        ];
        assert_eq!(violated_by(&twice), [ONE_DECISION]);
    }

    #[test]
    fn a_reservation_for_an_order_that_does_not_exist_is_found() {
        assert_eq!(violated_by(&[inventory(1, 1, 1, "inventory.reserved", 2)]), [ONE_DECISION, SAME_LINES]);
    }

    #[test]
    fn a_confirmation_without_reservation_and_a_rejection_without_cause_are_found() {
        let early = [
            order(1, 1, 1, "order.created"),
            order(2, 1, 2, "order.confirmed"),
            inventory(3, 1, 1, "inventory.reserved", 2),
        ];
        assert_eq!(violated_by(&early), [FOLLOWED]);
        let contrary = [
            order(1, 1, 1, "order.created"),
            inventory(2, 1, 1, "inventory.reserved", 2),
            order(3, 1, 2, "order.rejected"),
        ];
        assert_eq!(violated_by(&contrary), [FOLLOWED]);
    }

    #[test]
    fn a_reservation_of_another_quantity_is_found() {
        let rows = [order(1, 1, 1, "order.created"), inventory(2, 1, 1, "inventory.reserved", 3)];
        assert_eq!(violated_by(&rows), [SAME_LINES]);
    }

    #[test]
    fn a_rejection_although_there_was_enough_is_found() {
        let rows = [order(1, 1, 1, "order.created"), inventory(2, 1, 1, "inventory.rejected", 1)];
        assert_eq!(violated_by(&rows), [JUSTIFIED]);
    }

    #[test]
    fn stock_that_is_never_given_back_or_twice_is_found() {
        let cancelled = [
            order(1, 1, 1, "order.created"),
            inventory(2, 1, 1, "inventory.reserved", 2),
            order(3, 1, 2, "order.cancelled"),
        ];
        assert_eq!(violated_by(&cancelled), [GIVEN_BACK]);
        let twice = [inventory(4, 1, 2, "inventory.released", 2), inventory(5, 1, 3, "inventory.released", 2)];
        assert_eq!(violated_by(&[&cancelled[..], &twice].concat()), [GIVEN_BACK]);
    }
}
