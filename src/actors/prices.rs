//! The catalogue's prices as orders need them: folds of product streams, at most a second old.

use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use sqlx::PgPool;

use crate::domain::product::{Event, Product};
use crate::domain::{Aggregate, DomainEvent, Money, ProductId};
use crate::event_store;

/// Products remembered.
const KEPT: usize = 50_000;

/// A price and the version that named it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Price {
    pub(super) price: Money,
    pub(super) version: u32,
    as_of: Instant,
}

/// Prices read from the log. What the catalogue does not have is never remembered: "unknown" is a refusal.
#[derive(Debug)]
pub(super) struct Prices {
    db: PgPool,
    age: Duration,
    known: Cache<ProductId, Price>,
}

impl Prices {
    pub(super) fn new(db: PgPool, age: Duration) -> Self {
        Self { db, age, known: Cache::new(KEPT) }
    }

    /// The price of a product; `None` if the log, read just now, has no such product.
    pub(super) async fn of(&self, product: &ProductId) -> sqlx::Result<Option<Price>> {
        if let Some(price) = self.known.get(product).filter(|price| price.as_of.elapsed() < self.age) {
            return Ok(Some(price));
        }
        let as_of = Instant::now();
        let events = event_store::stream(&self.db, &Product::stream_id(product), 0, i64::MAX).await?;
        let mut state = Product::default();
        let mut version = 0;
        for recorded in &events {
            let event = Event::from_payload(&recorded.event_type, &recorded.payload)
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            state = state.evolve(&event);
            version = u32::try_from(recorded.version).unwrap_or_default();
        }
        let price = state.details().map(|details| Price { price: details.price, version, as_of });
        if let Some(price) = price {
            self.known.insert(product.clone(), price);
        }
        Ok(price)
    }

    /// A product has just changed here: its old price is not used again.
    pub(super) fn forget(&self, product: &ProductId) {
        self.known.remove(product);
    }
}
