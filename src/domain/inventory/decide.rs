//! What inventory decides: reserve all lines or none, release what was reserved, mark it as shipped.

use std::collections::HashMap;

use super::event::{Event, Item, StockMoved, StockRejected};
use super::state::Inventory;
use crate::domain::order::MissingLine;
use crate::domain::{OrderId, ProductId};

/// Reason code of an order rejected for want of stock.
pub const OUT_OF_STOCK: &str = "out_of_stock";

/// Pieces available per product; a product that is not in the map was never received.
pub type Level = HashMap<ProductId, i64>;

/// An order's wish, as inventory sees it.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// Which order.
    pub order_id: OrderId,
    /// What it wants, one entry a product.
    pub items: Vec<Item>,
}

/// Takes everything the order wants from `level`, or nothing and says what is missing. Already decided: nothing.
pub fn reserve(state: &Inventory, wish: Reservation, level: &mut Level) -> Option<Event> {
    if *state != Inventory::Undecided {
        return None;
    }
    let missing: Vec<MissingLine> = wish.items.iter().filter_map(|item| shortage(item, level)).collect();
    if !missing.is_empty() {
        return Some(Event::Rejected(StockRejected { order_id: wish.order_id, missing }));
    }
    for item in &wish.items {
        *level.entry(item.product_id.clone()).or_default() -= i64::from(item.quantity);
    }
    Some(Event::Reserved(StockMoved { order_id: wish.order_id, items: wish.items }))
}

/// Gives back what was reserved, if anything was.
pub fn release(state: &Inventory, order_id: OrderId, level: &mut Level) -> Option<Event> {
    let Inventory::Reserved(items) = state else {
        return None;
    };
    for item in items {
        *level.entry(item.product_id.clone()).or_default() += i64::from(item.quantity);
    }
    Some(Event::Released(StockMoved { order_id, items: items.clone() }))
}

/// Marks what was reserved as gone, if anything was.
#[must_use]
pub fn ship(state: &Inventory, order_id: OrderId) -> Option<Event> {
    let Inventory::Reserved(items) = state else {
        return None;
    };
    Some(Event::Shipped(StockMoved { order_id, items: items.clone() }))
}

fn shortage(item: &Item, level: &Level) -> Option<MissingLine> {
    let available = level.get(&item.product_id).copied().unwrap_or(0);
    (available < i64::from(item.quantity)).then(|| MissingLine {
        product_id: item.product_id.clone(),
        requested: item.quantity,
        available,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> OrderId {
        Uuid::from_u128(n).into()
    }

    fn item(product: &str, quantity: u32) -> Item {
        Item { product_id: product.parse().unwrap(), quantity }
    }

    fn level(of: &[(&str, i64)]) -> Level {
        of.iter().map(|(product, n)| (product.parse().unwrap(), *n)).collect()
    }

    #[test]
    fn all_lines_are_reserved_or_none() {
        let mut stock = level(&[("mug", 5), ("tea", 1)]);
        let wish = Reservation { order_id: id(1), items: vec![item("mug", 3), item("tea", 2)] };
        let decided = reserve(&Inventory::Undecided, wish, &mut stock);
        let missing = vec![MissingLine { product_id: "tea".parse().unwrap(), requested: 2, available: 1 }];
        assert_eq!(decided, Some(Event::Rejected(StockRejected { order_id: id(1), missing })));
        assert_eq!(stock, level(&[("mug", 5), ("tea", 1)]));
    }

    #[test]
    fn a_product_never_received_is_out_of_stock() {
        let wish = Reservation { order_id: id(1), items: vec![item("ghost", 1)] };
        let Some(Event::Rejected(rejected)) = reserve(&Inventory::Undecided, wish, &mut Level::new()) else {
            panic!("not rejected")
        };
        assert_eq!(rejected.missing[0].available, 0);
    }

    #[test]
    fn an_order_is_decided_once() {
        let mut stock = level(&[("mug", 5)]);
        let wish = || Reservation { order_id: id(1), items: vec![item("mug", 1)] };
        for decided in [Inventory::Reserved(vec![item("mug", 1)]), Inventory::Rejected, Inventory::Released] {
            assert_eq!(reserve(&decided, wish(), &mut stock), None);
        }
        assert_eq!(stock, level(&[("mug", 5)]));
    }

    #[test]
    fn only_what_is_reserved_is_released_or_shipped() {
        for state in [Inventory::Undecided, Inventory::Rejected, Inventory::Released, Inventory::Shipped] {
            assert_eq!(release(&state, id(1), &mut Level::new()), None);
            assert_eq!(ship(&state, id(1)), None);
        }
    }

    proptest! {
        /// Whatever is reserved and released, no product's level goes below zero and nothing is made or lost.
        #[test]
        fn stock_is_conserved(steps in prop::collection::vec((0..4_u128, 1..4_u32, any::<bool>()), 0..60)) {
            let mut stock = level(&[("mug", 7)]);
            let mut held: HashMap<u128, Inventory> = HashMap::new();
            for (order, quantity, give_back) in steps {
                let state = held.entry(order).or_default();
                let event = if give_back {
                    release(state, id(order), &mut stock)
                } else {
                    reserve(state, Reservation { order_id: id(order), items: vec![item("mug", quantity)] }, &mut stock)
                };
                if let Some(event) = event {
                    *state = std::mem::take(state).evolve(&event);
                }
                let reserved: i64 = held.values().map(|state| match state {
                    Inventory::Reserved(items) => items.iter().map(|item| i64::from(item.quantity)).sum(),
                    _ => 0,
                }).sum();
                let available = stock[&"mug".parse().unwrap()];
                prop_assert!(available >= 0);
                prop_assert_eq!(available + reserved, 7);
            }
        }
    }
}
