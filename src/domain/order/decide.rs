//! What an order answers to each request in each status: one table.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::{DateTime, Utc};

use super::command::{Command, PricedLine};
use super::event::{Ended, Event, Line, MissingLine, OrderCreated, OrderMoved, OrderRejected};
use super::refusal::OrderRefusal;
use super::state::{Facts, Order};
use super::{MAX_LINES, MAX_QUANTITY};
use crate::domain::{Aggregate, OrderId, ProductId, UserId, money};

impl Aggregate for Order {
    const NAME: &'static str = "order";
    type Id = OrderId;
    type Command = Command;
    type Event = Event;
    type Refusal = OrderRefusal;

    fn decide(&self, command: &Command, now: DateTime<Utc>) -> Result<Vec<Event>, OrderRefusal> {
        match (self, command) {
            (Self::Absent, Command::Place { order_id, user_id, lines }) => place(*order_id, user_id, lines, now),
            (Self::Absent, _) => Err(OrderRefusal::Unknown),
            (_, Command::Place { order_id, .. }) => Err(OrderRefusal::AlreadyExists(*order_id)),

            (Self::Processing(facts), Command::Confirm) => Ok(vec![Event::Confirmed(facts.moved(Some(now), None))]),
            (Self::Confirmed(_), Command::Confirm) => Ok(vec![]),

            (Self::Processing(facts), Command::Reject { reason, missing }) => {
                Ok(vec![Event::Rejected(facts.rejected(reason, missing))])
            }
            (Self::Rejected(_), Command::Reject { .. }) => Ok(vec![]),

            (Self::Processing(facts) | Self::Confirmed(facts), Command::Cancel { reason }) => {
                Ok(vec![Event::Cancelled(facts.moved(facts.confirmed_at, Some(reason.clone())))])
            }
            (Self::Cancelled(_), Command::Cancel { .. }) => Ok(vec![]),

            (Self::Confirmed(facts), Command::Ship) => Ok(vec![Event::Shipped(facts.ended())]),
            (Self::Shipped(_), Command::Ship) => Ok(vec![]),

            (Self::Shipped(facts), Command::Deliver) => Ok(vec![Event::Delivered(facts.ended())]),
            (Self::Delivered(_), Command::Deliver) => Ok(vec![]),

            (order, command) => Err(not_allowed(order, command)),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        self.folded(event)
    }

    fn name_of(command: &Command) -> &'static str {
        command.name()
    }

    fn creates(command: &Command) -> bool {
        matches!(command, Command::Place { .. })
    }

    fn already_exists(command: &Command) -> OrderRefusal {
        match command {
            Command::Place { order_id, .. } => OrderRefusal::AlreadyExists(*order_id),
            _ => OrderRefusal::Unknown,
        }
    }
}

fn not_allowed(order: &Order, command: &Command) -> OrderRefusal {
    match order.status() {
        Some(status) => OrderRefusal::NotAllowed { command: command.name(), status },
        None => OrderRefusal::Unknown,
    }
}

fn place(
    order_id: OrderId,
    user_id: &UserId,
    lines: &[PricedLine],
    now: DateTime<Utc>,
) -> Result<Vec<Event>, OrderRefusal> {
    let merged = merge(lines)?;
    let currency = lines.first().ok_or(OrderRefusal::NoLines)?.currency;
    if let Some(other) = lines.iter().find(|line| line.currency != currency) {
        return Err(OrderRefusal::MixedCurrency(currency, other.currency));
    }
    let total_amount =
        money::total(merged.iter().map(|line| (line.unit_price, line.quantity))).ok_or(OrderRefusal::TotalTooLarge)?;
    Ok(vec![Event::Created(OrderCreated {
        order_id,
        user_id: user_id.clone(),
        items: merged,
        total_amount,
        currency,
        created_at: now,
    })])
}

/// One line a product, sorted, so that every later step locks stock in one order.
fn merge(lines: &[PricedLine]) -> Result<Vec<Line>, OrderRefusal> {
    let mut merged: BTreeMap<&ProductId, (u64, &PricedLine)> = BTreeMap::new();
    for line in lines {
        match merged.entry(&line.product_id) {
            Entry::Vacant(free) => {
                free.insert((u64::from(line.quantity), line));
            }
            Entry::Occupied(mut taken) => taken.get_mut().0 += u64::from(line.quantity),
        }
    }
    if merged.len() > MAX_LINES {
        return Err(OrderRefusal::TooManyLines { lines: merged.len(), max: MAX_LINES });
    }
    merged.into_values().map(|(quantity, line)| merged_line(quantity, line)).collect()
}

fn merged_line(quantity: u64, line: &PricedLine) -> Result<Line, OrderRefusal> {
    let in_range = u32::try_from(quantity).ok().filter(|quantity| (1..=MAX_QUANTITY).contains(quantity));
    Ok(Line {
        product_id: line.product_id.clone(),
        quantity: in_range.ok_or_else(|| OrderRefusal::QuantityOutOfRange {
            product_id: line.product_id.to_string(),
            quantity,
            max: MAX_QUANTITY,
        })?,
        unit_price: line.unit_price,
        product_version: line.product_version,
    })
}

impl Facts {
    fn moved(&self, confirmed_at: Option<DateTime<Utc>>, reason: Option<String>) -> OrderMoved {
        OrderMoved {
            order_id: self.order_id,
            user_id: self.user_id.clone(),
            items: self.items.to_vec(),
            total_amount: self.total_amount,
            currency: self.currency,
            created_at: self.created_at,
            confirmed_at,
            reason,
        }
    }

    fn rejected(&self, reason: &str, missing: &[MissingLine]) -> OrderRejected {
        OrderRejected {
            order_id: self.order_id,
            user_id: self.user_id.clone(),
            total_amount: self.total_amount,
            currency: self.currency,
            created_at: self.created_at,
            confirmed_at: None,
            reason: reason.to_owned(),
            missing: missing.to_vec(),
        }
    }

    fn ended(&self) -> Ended {
        Ended {
            order_id: self.order_id,
            user_id: self.user_id.clone(),
            total_amount: self.total_amount,
            currency: self.currency,
            created_at: self.created_at,
            confirmed_at: self.confirmed_at,
        }
    }
}

#[cfg(test)]
mod tests;
