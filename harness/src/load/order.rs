//! What an order asks for, drawn from the seed and the order's number.

use std::fmt::Write;
use std::ops::Range;

use uuid::Uuid;

use super::catalogue::Catalogue;
use super::chance::Chance;
use super::mark::{self, Mark};
use super::popularity::Popularity;

/// Share of orders that also ask for a scarce product, when there are any.
const SCARCE_PERCENT: u8 = 10;
const MOST_LINES: u64 = 3;
const MOST_OF_A_LINE: u64 = 3;

pub struct Orders {
    popularity: Popularity,
    products: Vec<String>,
    scarce: Vec<String>,
    cancel_percent: u8,
    repeat_percent: u8,
    seed: u64,
    marks: Vec<Mark>,
}

/// A request ready to be sent; `items` is where its lines stand in the body.
pub struct Order {
    pub key: Uuid,
    pub user_id: String,
    pub body: String,
    pub items: Range<usize>,
    pub to_be_cancelled: bool,
    pub to_be_repeated: bool,
    /// When in the time that cancellations spread over: from 0 up to 1.
    pub cancelled_at: f64,
}

impl Orders {
    pub fn of(catalogue: &Catalogue, cancel_percent: u8, repeat_percent: u8, seed: u64) -> Self {
        Self {
            popularity: Popularity::of(catalogue.products),
            products: (0..catalogue.products).map(|index| catalogue.product(index)).collect(),
            scarce: (0..catalogue.scarce).map(|index| catalogue.scarce_product(index)).collect(),
            cancel_percent,
            repeat_percent,
            seed,
            marks: Vec::new(),
        }
    }

    /// With some orders marked.
    pub fn marked(mut self, marks: Vec<Mark>) -> Self {
        self.marks = marks;
        self
    }

    /// The lines follow from seed and number. The key does not: with the same key a second run would only be told what
    /// the first one was. The user is the key's own, so that the checker can count the orders that a key made; only those
    /// that carry a mark share theirs.
    pub fn order(&self, number: u64) -> Order {
        let mut chance = Chance::of(self.seed, number);
        let key = Uuid::new_v4();
        let mark = mark::draw(&self.marks, self.seed, number);
        let user_id = mark.map_or_else(|| format!("user-{}", key.simple()), |mark| mark.user.clone());
        let only = mark.and_then(|mark| mark.product.as_ref());
        let mut body = String::with_capacity(256);
        _ = write!(body, r#"{{"userId":"{user_id}","items":"#);
        let start = body.len();
        let count = if only.is_some() { 1 } else { chance.between(1, MOST_LINES) };
        for index in 0..count {
            let scarce = index == 0 && !self.scarce.is_empty() && chance.percent(SCARCE_PERCENT);
            let product = match only {
                Some(product) => product,
                None if scarce => &self.scarce[chance.next() as usize % self.scarce.len()],
                None => &self.products[self.popularity.draw(&mut chance)],
            };
            let open = if index == 0 { '[' } else { ',' };
            let quantity = chance.between(1, MOST_OF_A_LINE);
            _ = write!(body, r#"{open}{{"productId":"{product}","quantity":{quantity}}}"#);
        }
        body.push(']');
        let items = start..body.len();
        body.push('}');
        let to_be_cancelled = chance.percent(self.cancel_percent);
        let to_be_repeated = chance.percent(self.repeat_percent);
        let cancelled_at = chance.fraction();
        Order { key, user_id, body, items, to_be_cancelled, to_be_repeated, cancelled_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::lines::Line;

    fn orders(seed: u64) -> Orders {
        Orders::of(&Catalogue { products: 20, scarce: 2, marked: Vec::new() }, 10, 10, seed)
    }

    #[test]
    fn the_body_is_json_and_its_items_are_where_it_says() -> Result<(), serde_json::Error> {
        for number in 0..200 {
            let order = orders(1).order(number);
            let body: serde_json::Value = serde_json::from_str(&order.body)?;
            let items: Vec<Line> = serde_json::from_str(&order.body[order.items.clone()])?;
            assert_eq!(body["items"], serde_json::to_value(&items)?);
            assert_eq!(body["userId"], order.user_id);
            assert!((1..=3).contains(&items.len()) && items.iter().all(|line| (1..=3).contains(&line.quantity)));
        }
        Ok(())
    }

    #[test]
    fn the_same_seed_asks_for_the_same_lines_under_another_key() {
        let (one, two) = (orders(5).order(9), orders(5).order(9));
        assert_eq!(one.body[one.items.clone()], two.body[two.items.clone()]);
        assert_ne!(one.key, two.key);
    }

    #[test]
    fn a_marked_order_has_its_user_and_asks_for_its_product_alone() {
        let marked = orders(1).marked(vec!["mallory=1000@poison".parse().unwrap()]).order(3);
        assert_eq!(marked.user_id, "mallory");
        let lines: Vec<Line> = serde_json::from_str(&marked.body[marked.items]).unwrap();
        assert_eq!(lines.iter().map(|line| line.product_id.as_str()).collect::<Vec<_>>(), ["poison"]);
    }

    #[test]
    fn some_orders_want_scarce_products() {
        let scarce = (0..1_000).filter(|number| orders(1).order(*number).body.contains("scarce-")).count();
        assert!((50..200).contains(&scarce), "{scarce}");
    }
}
