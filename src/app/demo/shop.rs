//! The shop of a past: its products with their prices, and how much of each is there.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::catalogue::{CATALOGUE, LIMITED};
use super::happened::Told;
use crate::domain::inventory::{self, Item, Level, RECEIPT_STREAM, StockReceived};
use crate::domain::order::PricedLine;
use crate::domain::product::{Changes, Command, Details, Product};
use crate::domain::{Aggregate, Money, ProductId};
use crate::event_store::NewEvent;

/// Events a day that the catalogue's stock is enough for.
const SMALL_DAY: u64 = 30_000;
/// A product is ordered anew when less than one in so many of its first pieces is left.
const LOW: i64 = 3;

/// A product, by its place in the catalogue.
pub(super) type Shelf = usize;

/// One product.
#[derive(Debug, Default)]
struct Kept {
    product: Product,
    version: i32,
    /// Pieces that come in at once.
    delivery: u32,
    /// More is on its way.
    is_awaited: bool,
}

/// Everything there is.
pub(super) struct Shop {
    kept: Vec<Kept>,
    pub(super) level: Level,
}

fn id_of(shelf: Shelf) -> ProductId {
    CATALOGUE[shelf].id.parse().expect("the catalogue's ids are ids")
}

impl Shop {
    /// With stock for so many events a day.
    pub(super) fn of(events_a_day: u64) -> Self {
        let times = u32::try_from(events_a_day.div_ceil(SMALL_DAY).max(1)).unwrap_or(u32::MAX);
        let delivery = |stock: u32| if stock < LIMITED { stock } else { stock.saturating_mul(times).min(1_000_000) };
        let kept = CATALOGUE.iter().map(|goods| Kept { delivery: delivery(goods.stock), ..Kept::default() });
        Self { kept: kept.collect(), level: Level::new() }
    }

    pub(super) fn shelves(&self) -> Range<Shelf> {
        0..self.kept.len()
    }

    /// Puts it into the catalogue.
    pub(super) fn open(&mut self, shelf: Shelf, at: DateTime<Utc>) -> Told {
        let goods = CATALOGUE[shelf];
        let price = Money::new(i64::from(goods.price), "EUR".parse().expect("a currency")).expect("a price");
        let details =
            Details { name: goods.name.to_owned(), price, description: String::new(), attributes: BTreeMap::new() };
        self.kept[shelf].is_awaited = true;
        self.decide(shelf, &Command::Create { product_id: id_of(shelf), details }, at).expect("a new product")
    }

    /// Changes its price to so many percent; nothing if that is the same price.
    pub(super) fn reprice(&mut self, shelf: Shelf, percent: i64, at: DateTime<Utc>) -> Option<Told> {
        let price = self.kept[shelf].product.details()?.price;
        let price = Money::new((price.amount() * percent / 100).max(1), price.currency()).ok()?;
        self.decide(shelf, &Command::Update { changes: Changes { price: Some(price), ..Changes::default() } }, at)
    }

    fn decide(&mut self, shelf: Shelf, command: &Command, at: DateTime<Utc>) -> Option<Told> {
        let kept = &mut self.kept[shelf];
        let event = kept.product.decide(command, at).expect("the shop asks for what can be done").pop()?;
        kept.version += 1;
        kept.product = std::mem::take(&mut kept.product).evolve(&event);
        let (product_id, version) = (id_of(shelf), kept.version);
        Some(Told {
            stream_id: Product::stream_id(&product_id),
            partition_key: product_id.to_string(),
            version,
            event: NewEvent::from(&event),
        })
    }

    /// A line at today's price.
    pub(super) fn priced(&self, shelf: Shelf, quantity: u32) -> PricedLine {
        let kept = &self.kept[shelf];
        let price = kept.product.details().expect("everything is in the catalogue before the first customer").price;
        PricedLine {
            product_id: id_of(shelf),
            quantity,
            unit_price: price.amount(),
            currency: price.currency(),
            product_version: kept.version.unsigned_abs(),
        }
    }

    /// What was awaited comes in.
    pub(super) fn receive(&mut self, shelf: Shelf, receipt: Uuid) -> Told {
        let kept = &mut self.kept[shelf];
        let (receipt_id, product_id, quantity) = (receipt.into(), id_of(shelf), kept.delivery);
        kept.is_awaited = false;
        *self.level.entry(product_id.clone()).or_default() += i64::from(quantity);
        let partition_key = product_id.to_string();
        let event = inventory::Event::Received(StockReceived { receipt_id, product_id, quantity });
        let stream_id = format!("{RECEIPT_STREAM}:{receipt_id}");
        Told { stream_id, partition_key, version: 1, event: NewEvent::from(&event) }
    }

    /// Of these, what has become low and is not awaited yet; it is from now on.
    pub(super) fn low(&mut self, items: &[Item]) -> Vec<Shelf> {
        let (kept, level) = (&mut self.kept, &self.level);
        let is_low = |shelf: &Shelf| {
            let delivery = i64::from(kept[*shelf].delivery);
            let left = level.get(&id_of(*shelf)).copied().unwrap_or_default();
            !kept[*shelf].is_awaited && CATALOGUE[*shelf].stock >= LIMITED && left * LOW < delivery
        };
        let shelves =
            items.iter().filter_map(|item| CATALOGUE.iter().position(|goods| goods.id == item.product_id.as_str()));
        let low: Vec<Shelf> = shelves.filter(is_low).collect();
        low.iter().for_each(|shelf| kept[*shelf].is_awaited = true);
        low
    }
}
