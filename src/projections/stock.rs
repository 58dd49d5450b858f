//! How much of each product there is. Fed by inventory, in the transaction that decides.

use crate::domain::ProductId;
use crate::domain::inventory::{Event, Item};
use crate::read_model::{Projection, QueryError, Recorded, TableRouter, row};

const GET: &str = "select product_id, available, reserved, shipped from {table} where product_id = $1";

row! {
    /// Pieces of one product by where they are.
    pub struct StockRow {
        /// Which product.
        key product_id: String => "text",
        /// Free to be reserved.
        available: i64 => "bigint",
        /// Set aside for orders.
        reserved: i64 => "bigint",
        /// Gone to customers.
        shipped: i64 => "bigint",
    }
}

/// The read model itself.
#[derive(Debug)]
pub struct Stock;

impl Projection for Stock {
    const NAME: &'static str = "stock";
    const VERSION: u16 = 1;
    const TEMPLATE: &'static str = include_str!("stock.sql");
    const STREAMS: &'static [&'static str] = &["inventory:", "receipt:"];
    const SHARED_ROWS: bool = true;
    type Event = Event;
    type Row = StockRow;

    fn keys(recorded: &Recorded<Event>) -> Vec<String> {
        match &recorded.event {
            Event::Reserved(moved) | Event::Released(moved) | Event::Shipped(moved) => {
                moved.items.iter().map(|item| item.product_id.to_string()).collect()
            }
            Event::Received(received) => vec![received.product_id.to_string()],
            Event::Rejected(_) => vec![],
        }
    }

    fn fold(row: &mut StockRow, recorded: &Recorded<Event>) {
        match &recorded.event {
            Event::Reserved(moved) => {
                let pieces = pieces(&moved.items, &row.product_id);
                row.available -= pieces;
                row.reserved += pieces;
            }
            Event::Released(moved) => {
                let pieces = pieces(&moved.items, &row.product_id);
                row.reserved -= pieces;
                row.available += pieces;
            }
            Event::Shipped(moved) => {
                let pieces = pieces(&moved.items, &row.product_id);
                row.reserved -= pieces;
                row.shipped += pieces;
            }
            Event::Received(received) => row.available += i64::from(received.quantity),
            Event::Rejected(_) => {}
        }
    }

    fn merge(into: &mut StockRow, part: StockRow) {
        into.available += part.available;
        into.reserved += part.reserved;
        into.shipped += part.shipped;
    }
}

fn pieces(items: &[Item], product_id: &str) -> i64 {
    items.iter().filter(|item| item.product_id.as_str() == product_id).map(|item| i64::from(item.quantity)).sum()
}

/// Stock of one product; `None` if nothing of it was ever received.
///
/// # Errors
/// [`QueryError`].
pub async fn get(models: &TableRouter, product_id: &ProductId) -> Result<Option<StockRow>, QueryError> {
    let table = models.table::<Stock>().await?;
    Ok(sqlx::query_as(table.sql(GET)).bind(product_id.as_str()).fetch_optional(models.db()).await?)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::inventory::{StockMoved, StockReceived};
    use crate::read_model::Row;

    fn row_after(events: impl IntoIterator<Item = Event>) -> (i64, i64, i64) {
        let mut row = StockRow::empty(&"mug".to_owned());
        for event in events {
            let recorded = Recorded { version: 1, recorded_at: None, event };
            assert_eq!(Stock::keys(&recorded), ["mug"]);
            Stock::fold(&mut row, &recorded);
        }
        (row.available, row.reserved, row.shipped)
    }

    fn received(quantity: u32) -> Event {
        let (receipt_id, product_id) = (Uuid::nil().into(), "mug".parse().unwrap());
        Event::Received(StockReceived { receipt_id, product_id, quantity })
    }

    fn moved(quantity: u32) -> StockMoved {
        let items = vec![Item { product_id: "mug".parse().unwrap(), quantity }];
        StockMoved { order_id: Uuid::nil().into(), items }
    }

    #[test]
    fn what_was_received_is_available_reserved_or_shipped() {
        assert_eq!(row_after([received(10)]), (10, 0, 0));
        assert_eq!(row_after([received(10), Event::Reserved(moved(3))]), (7, 3, 0));
        assert_eq!(row_after([received(10), Event::Reserved(moved(3)), Event::Released(moved(3))]), (10, 0, 0));
        assert_eq!(row_after([received(10), Event::Reserved(moved(3)), Event::Shipped(moved(3))]), (7, 0, 3));
    }
}
