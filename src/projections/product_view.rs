//! The catalogue as customers see it. Fed from the log.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::domain::product::Event;
use crate::domain::{Money, ProductId};
use crate::read_model::{Projection, QueryError, Recorded, TableRouter, row};

const GET: &str = "select product_id, name, amount, currency, description, attributes, version, created_at, updated_at \
    from {table} where product_id = $1";

row! {
    /// One product.
    pub struct ProductRow {
        /// Which.
        key product_id: String => "text",
        /// What customers call it.
        name: String => "text",
        /// Price in minor units.
        amount: i64 => "bigint",
        /// Currency of the price.
        currency: String => "text",
        /// Longer text.
        description: String => "text",
        /// Anything else, by name.
        attributes: Json<BTreeMap<String, String>> => "jsonb",
        /// Version of its stream.
        version: i32 => "integer",
        /// When it entered the catalogue.
        created_at: Option<DateTime<Utc>> => "timestamptz",
        /// When it last changed.
        updated_at: Option<DateTime<Utc>> => "timestamptz",
    }
}

/// The read model itself.
#[derive(Debug)]
pub struct ProductView;

impl Projection for ProductView {
    const NAME: &'static str = "product_view";
    const VERSION: u16 = 1;
    const TEMPLATE: &'static str = include_str!("product_view.sql");
    const STREAMS: &'static [&'static str] = &["product:"];
    const SHARED_ROWS: bool = false;
    type Event = Event;
    type Row = ProductRow;

    fn keys(recorded: &Recorded<Event>) -> Vec<String> {
        match &recorded.event {
            Event::Created(created) => vec![created.product_id.to_string()],
            Event::Updated(updated) => vec![updated.product_id.to_string()],
        }
    }

    fn fold(row: &mut ProductRow, recorded: &Recorded<Event>) {
        row.version = recorded.version;
        match &recorded.event {
            Event::Created(created) => {
                row.name.clone_from(&created.name);
                row.set_price(created.price);
                row.description.clone_from(&created.description);
                row.attributes = Json(created.attributes.clone());
                row.created_at = Some(created.created_at);
                row.updated_at = Some(created.created_at);
            }
            Event::Updated(updated) => {
                let changes = updated.changes.clone();
                row.name = changes.name.unwrap_or_else(|| std::mem::take(&mut row.name));
                row.description = changes.description.unwrap_or_else(|| std::mem::take(&mut row.description));
                row.attributes = changes.attributes.map_or_else(|| std::mem::take(&mut row.attributes), Json);
                if let Some(price) = changes.price {
                    row.set_price(price);
                }
                row.updated_at = Some(updated.updated_at);
            }
        }
    }

    fn merge(into: &mut ProductRow, part: ProductRow) {
        if part.version > into.version {
            *into = part;
        }
    }
}

impl ProductRow {
    fn set_price(&mut self, price: Money) {
        self.amount = price.amount();
        price.currency().as_str().clone_into(&mut self.currency);
    }
}

/// One product; `None` if the catalogue has never had it, as far as the view has read.
///
/// # Errors
/// [`QueryError`].
pub async fn get(models: &TableRouter, product_id: &ProductId) -> Result<Option<ProductRow>, QueryError> {
    let table = models.table::<ProductView>().await?;
    Ok(sqlx::query_as(table.sql(GET)).bind(product_id.as_str()).fetch_optional(models.db()).await?)
}
