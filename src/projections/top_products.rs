//! What was sold of each product, by currency: the lines of confirmed orders, less those of orders cancelled after they had
//! been confirmed, as if these had never been. Fed by analytics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sale::Sale;
use crate::domain::Currency;
use crate::domain::order::Event;
use crate::read_model::{Projection, QueryError, Recorded, TableRouter, row};

const BY_REVENUE: &str = "select product_currency, product_id, currency, orders, pieces, revenue from {table} \
    where ($1::text is null or currency = $1) order by revenue desc, product_currency limit $2";
const BY_PIECES: &str = "select product_currency, product_id, currency, orders, pieces, revenue from {table} \
    where ($1::text is null or currency = $1) order by pieces desc, product_currency limit $2";
const BY_ORDERS: &str = "select product_currency, product_id, currency, orders, pieces, revenue from {table} \
    where ($1::text is null or currency = $1) order by orders desc, product_currency limit $2";

row! {
    /// One product and currency.
    #[derive(Default, Serialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    pub struct TopProductRow {
        /// Both, such as `mug/EUR`.
        #[serde(skip)]
        key product_currency: String => "text",
        /// The product.
        product_id: String => "text",
        /// What it was paid in.
        currency: String => "text",
        /// Orders with it that are sold.
        orders: i64 => "bigint",
        /// Pieces of it in them.
        pieces: i64 => "bigint",
        /// What these cost, in minor units.
        revenue: i64 => "bigint",
    }
}

/// The read model itself.
#[derive(Debug)]
pub struct TopProducts;

impl Projection for TopProducts {
    const NAME: &'static str = "top_products";
    const VERSION: u16 = 1;
    const TEMPLATE: &'static str = include_str!("top_products.sql");
    const STREAMS: &'static [&'static str] = &["order:"];
    const SHARED_ROWS: bool = true;
    type Event = Event;
    type Row = TopProductRow;

    fn keys(recorded: &Recorded<Event>) -> Vec<String> {
        let Some(Sale { order, .. }) = Sale::of(&recorded.event) else { return Vec::new() };
        let mut keys: Vec<_> =
            order.items.iter().map(|line| format!("{}/{}", line.product_id, order.currency)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn fold(row: &mut TopProductRow, recorded: &Recorded<Event>) {
        let Some(Sale { order, sign }) = Sale::of(&recorded.event) else { return };
        // An id of a product has no slash.
        let (product_id, currency) = row.product_currency.split_once('/').unwrap_or_default();
        (row.product_id, row.currency) = (product_id.to_owned(), currency.to_owned());
        row.orders += sign;
        for line in order.items.iter().filter(|line| line.product_id.as_str() == row.product_id) {
            let pieces = i64::from(line.quantity);
            row.pieces += sign * pieces;
            row.revenue += sign * pieces * line.unit_price;
        }
    }

    fn merge(into: &mut TopProductRow, part: TopProductRow) {
        // A row nothing has happened to has neither.
        into.product_id = std::mem::take(&mut into.product_id).max(part.product_id);
        into.currency = std::mem::take(&mut into.currency).max(part.currency);
        into.orders += part.orders;
        into.pieces += part.pieces;
        into.revenue += part.revenue;
    }
}

/// What products are ranked by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// What they brought, in minor units.
    #[default]
    Revenue,
    /// How many pieces were sold.
    Pieces,
    /// In how many orders they were sold.
    Orders,
}

/// The first products by a rank, of one currency or of all.
///
/// # Errors
/// [`QueryError`].
pub async fn list(
    models: &TableRouter,
    rank: Rank,
    currency: Option<Currency>,
    limit: i64,
) -> Result<Vec<TopProductRow>, QueryError> {
    let table = models.table::<TopProducts>().await?;
    let template = match rank {
        Rank::Revenue => BY_REVENUE,
        Rank::Pieces => BY_PIECES,
        Rank::Orders => BY_ORDERS,
    };
    let query = sqlx::query_as(table.sql(template)).bind(currency.map(|currency| currency.to_string()));
    Ok(query.bind(limit).fetch_all(models.db()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projections::lives::{Life, rows};

    const NOON: &str = "2026-03-01T12:00:00Z";

    /// Orders, pieces and revenue.
    fn figures(lives: &[Life]) -> Vec<(String, [i64; 3])> {
        let rows = rows::<TopProducts>(lives.iter().flat_map(Life::events));
        rows.into_iter().map(|(key, row)| (key, [row.orders, row.pieces, row.revenue])).collect()
    }

    #[test]
    fn every_line_of_a_confirmed_order_counts_with_its_product() {
        let lives = [
            Life::placed(3, NOON).with("tea", 2, 50).confirmed(1),
            Life::placed(1, NOON).confirmed(1).shipped(1),
            Life::placed(9, NOON).rejected(1),
            Life::placed(9, NOON),
        ];
        assert_eq!(figures(&lives), [("mug/EUR".to_owned(), [2, 4, 400]), ("tea/EUR".to_owned(), [1, 2, 100])]);
    }

    #[test]
    fn a_cancellation_takes_back_what_was_confirmed_and_nothing_else() {
        let lives = [
            Life::placed(3, NOON).confirmed(1).cancelled(1),
            Life::placed(2, NOON).cancelled(1),
            Life::placed(1, NOON).confirmed(1),
        ];
        assert_eq!(figures(&lives), [("mug/EUR".to_owned(), [1, 1, 100])]);
    }
}
