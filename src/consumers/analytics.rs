//! Keeps the figures: folds what happened to orders into customers, products, days and stages. Decides nothing.

use crate::contracts::topics;
use crate::domain::order::{Ended, OrderCreated, OrderMoved, OrderRejected};
use crate::projections;
use crate::subscription::{Consumer, Folding, Folds, OnDeadLetter, reads};

reads! {
    /// What this consumer reads: all that its read models fold, so that one that cannot be read is told from the others.
    enum Reads {
        "order.created" => Created(OrderCreated),
        "order.confirmed" => Confirmed(OrderMoved),
        "order.rejected" => Rejected(OrderRejected),
        "order.cancelled" => Cancelled(OrderMoved),
        "order.shipped" => Shipped(Ended),
        "order.delivered" => Delivered(Ended),
    }
}

/// The consumer.
#[derive(Debug)]
pub struct Analytics;

impl Consumer for Analytics {
    const NAME: &'static str = projections::ANALYTICS;
    const TOPICS: &'static [&'static str] = &[topics::ORDER_EVENTS];
    const FOLDING: Folding = Folding::Received;
    /// Each event brings all its fold needs, and sums have no order.
    const ON_DEAD_LETTER: OnDeadLetter = OnDeadLetter::Continue;
    type Reads = Reads;

    fn folds() -> Folds {
        projections::figures().into_iter().fold(Folds::default(), Folds::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DomainEvent, order};
    use crate::subscription::Reads as _;

    #[test]
    fn everything_its_models_fold_is_read() {
        assert_eq!(Reads::TYPES, order::Event::TYPES);
    }
}
