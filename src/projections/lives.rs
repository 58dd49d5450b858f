//! Lives of orders for the tests of folds, and a fold without a database.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use crate::domain::order::{Ended, Event, Line, OrderCreated, OrderMoved, OrderRejected};
use crate::read_model::{Projection, Recorded, Row};

/// Rows by key.
pub(super) type RowsOf<P> = BTreeMap<<<P as Projection>::Row as Row>::Key, <P as Projection>::Row>;

/// What these events come to.
pub(super) fn rows<P: Projection>(events: impl IntoIterator<Item = Recorded<P::Event>>) -> RowsOf<P> {
    let mut rows = RowsOf::<P>::new();
    for event in events {
        for key in P::keys(&event) {
            P::fold(rows.entry(key).or_insert_with_key(P::Row::empty), &event);
        }
    }
    rows
}

/// One order from its acceptance on: each step is recorded so many seconds after the one before.
#[derive(Clone, Debug)]
pub(super) struct Life {
    created: OrderCreated,
    at: DateTime<Utc>,
    confirmed_at: Option<DateTime<Utc>>,
    events: Vec<Recorded<Event>>,
}

impl Life {
    /// Of ada, for so many mugs at 100 minor units of EUR.
    pub(super) fn placed(mugs: u32, at: &str) -> Self {
        Self::of("ada", mugs, at.parse().expect("a time"))
    }

    fn of(user: &str, mugs: u32, at: DateTime<Utc>) -> Self {
        let created = OrderCreated {
            order_id: Uuid::nil().into(),
            user_id: user.parse().expect("an id"),
            items: Vec::new(),
            total_amount: 0,
            currency: "EUR".parse().expect("a currency"),
            created_at: at,
        };
        Self { created, at, confirmed_at: None, events: Vec::new() }.with("mug", mugs, 100)
    }

    /// With another line; before any step.
    pub(super) fn with(mut self, product: &str, quantity: u32, unit_price: i64) -> Self {
        let product_id = product.parse().expect("an id");
        self.created.items.push(Line { product_id, quantity, unit_price, product_version: 1 });
        self.created.total_amount += i64::from(quantity) * unit_price;
        self.begin()
    }

    /// In another currency; before any step.
    pub(super) fn paying(mut self, currency: &str) -> Self {
        self.created.currency = currency.parse().expect("a currency");
        self.begin()
    }

    fn begin(mut self) -> Self {
        self.events.clear();
        let created = Event::Created(self.created.clone());
        self.step(0, |_| created)
    }

    pub(super) fn confirmed(mut self, after: i64) -> Self {
        self.confirmed_at = Some(self.at + TimeDelta::seconds(after));
        self.step(after, |life| Event::Confirmed(life.moved()))
    }

    pub(super) fn rejected(self, after: i64) -> Self {
        self.step(after, |Self { created, .. }| {
            Event::Rejected(OrderRejected {
                order_id: created.order_id,
                user_id: created.user_id.clone(),
                total_amount: created.total_amount,
                currency: created.currency,
                created_at: created.created_at,
                confirmed_at: None,
                reason: "insufficient_stock".to_owned(),
                missing: Vec::new(),
            })
        })
    }

    pub(super) fn cancelled(self, after: i64) -> Self {
        self.step(after, |life| Event::Cancelled(life.moved()))
    }

    pub(super) fn shipped(self, after: i64) -> Self {
        self.step(after, |life| Event::Shipped(life.ended()))
    }

    pub(super) fn delivered(self, after: i64) -> Self {
        self.step(after, |life| Event::Delivered(life.ended()))
    }

    /// What happened, in order.
    pub(super) fn events(&self) -> Vec<Recorded<Event>> {
        self.events.clone()
    }

    fn step(mut self, after: i64, event: impl FnOnce(&Self) -> Event) -> Self {
        self.at += TimeDelta::seconds(after);
        let event = event(&self);
        let version = i32::try_from(self.events.len() + 1).expect("a short life");
        self.events.push(Recorded { version, recorded_at: Some(self.at), event });
        self
    }

    fn moved(&self) -> OrderMoved {
        let OrderCreated { order_id, user_id, items, total_amount, currency, created_at } = self.created.clone();
        let confirmed_at = self.confirmed_at;
        OrderMoved { order_id, user_id, items, total_amount, currency, created_at, confirmed_at, reason: None }
    }

    fn ended(&self) -> Ended {
        let OrderCreated { order_id, user_id, total_amount, currency, created_at, .. } = self.created.clone();
        Ended { order_id, user_id, total_amount, currency, created_at, confirmed_at: self.confirmed_at }
    }
}

/// Any life an order can have, of few customers, products, currencies and days, so that rows are shared.
pub(super) fn any_life() -> impl Strategy<Value = Life> {
    let step = 0_i64..200_000;
    let whose = (0_u32..3, 1_u32..5, 0_u32..3, any::<bool>());
    (whose, 0_i64..400_000, 0_u8..7, step.clone(), step).prop_map(|((user, mugs, teas, usd), at, kind, one, two)| {
        let began = DateTime::from_timestamp(1_772_000_000 + at, 0).expect("a time");
        let life = Life::of(&format!("user-{user}"), mugs, began);
        let life = if teas > 0 { life.with("tea", teas, 70) } else { life };
        let life = if usd { life.paying("USD") } else { life };
        match kind {
            0 => life,
            1 => life.rejected(one),
            2 => life.cancelled(one),
            3 => life.confirmed(one),
            4 => life.confirmed(one).cancelled(two),
            5 => life.confirmed(one).shipped(two),
            _ => life.confirmed(one).shipped(two).delivered(one),
        }
    })
}
