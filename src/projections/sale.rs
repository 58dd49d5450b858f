//! What counts as sold, the same for every figure: what is confirmed, less what is cancelled after it had been.

use crate::domain::order::{Event, OrderMoved};

/// An order that is sold, or no longer is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sale<'e> {
    /// Of what.
    pub order: &'e OrderMoved,
    /// 1 where it is sold, -1 where that is taken back.
    pub sign: i64,
}

impl<'e> Sale<'e> {
    /// What an event says of it; none where nothing is sold or taken back. Rejected orders never were sold, nor those that
    /// were cancelled before they were confirmed.
    pub(super) fn of(event: &'e Event) -> Option<Self> {
        match event {
            Event::Confirmed(order) => Some(Self { order, sign: 1 }),
            Event::Cancelled(order) if order.confirmed_at.is_some() => Some(Self { order, sign: -1 }),
            Event::Created(_) | Event::Cancelled(_) | Event::Rejected(_) | Event::Shipped(_) | Event::Delivered(_) => {
                None
            }
        }
    }

    /// What it changes revenue by, in minor units.
    pub(super) fn amount(&self) -> i64 {
        self.sign * self.order.total_amount
    }
}
