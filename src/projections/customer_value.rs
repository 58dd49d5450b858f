//! What each customer came to, by currency: confirmed orders, less those cancelled after they had been confirmed, as if
//! these had never been. Fed by analytics.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::sale::Sale;
use crate::domain::order::Event;
use crate::domain::{Currency, UserId};
use crate::read_model::{Projection, QueryError, Recorded, TableRouter, row};

const LIST: &str = "select user_currency, user_id, currency, orders, confirmed, spent, first_order_at, last_order_at \
    from {table} where ($1::text is null or currency = $1) order by spent desc, user_currency limit $2";

row! {
    /// One customer and currency.
    #[derive(Default, Serialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    pub struct CustomerValueRow {
        /// Both, such as `ada/EUR`.
        #[serde(skip)]
        key user_currency: String => "text",
        /// The customer.
        user_id: String => "text",
        /// What the orders were paid in.
        currency: String => "text",
        /// Orders accepted, whatever became of them.
        orders: i64 => "bigint",
        /// Orders confirmed and not cancelled since.
        confirmed: i64 => "bigint",
        /// What these cost, in minor units.
        spent: i64 => "bigint",
        /// When the first order was accepted.
        first_order_at: Option<DateTime<Utc>> => "timestamptz",
        /// When the last was.
        last_order_at: Option<DateTime<Utc>> => "timestamptz",
    }
}

/// The read model itself.
#[derive(Debug)]
pub struct CustomerValue;

fn key(user_id: &UserId, currency: Currency) -> String {
    format!("{user_id}/{currency}")
}

impl Projection for CustomerValue {
    const NAME: &'static str = "customer_value";
    const VERSION: u16 = 1;
    const TEMPLATE: &'static str = include_str!("customer_value.sql");
    const STREAMS: &'static [&'static str] = &["order:"];
    const SHARED_ROWS: bool = true;
    type Event = Event;
    type Row = CustomerValueRow;

    fn keys(recorded: &Recorded<Event>) -> Vec<String> {
        match (&recorded.event, Sale::of(&recorded.event)) {
            (Event::Created(created), _) => vec![key(&created.user_id, created.currency)],
            (_, Some(sale)) => vec![key(&sale.order.user_id, sale.order.currency)],
            (_, None) => Vec::new(),
        }
    }

    fn fold(row: &mut CustomerValueRow, recorded: &Recorded<Event>) {
        // An id of a customer has no slash.
        let (user_id, currency) = row.user_currency.split_once('/').unwrap_or_default();
        (row.user_id, row.currency) = (user_id.to_owned(), currency.to_owned());
        if let Event::Created(created) = &recorded.event {
            let at = Some(created.created_at);
            row.orders += 1;
            row.first_order_at = earliest(row.first_order_at, at);
            row.last_order_at = row.last_order_at.max(at);
        }
        if let Some(sale) = Sale::of(&recorded.event) {
            row.confirmed += sale.sign;
            row.spent += sale.amount();
        }
    }

    fn merge(into: &mut CustomerValueRow, part: CustomerValueRow) {
        // A row nothing has happened to has neither.
        into.user_id = std::mem::take(&mut into.user_id).max(part.user_id);
        into.currency = std::mem::take(&mut into.currency).max(part.currency);
        into.orders += part.orders;
        into.confirmed += part.confirmed;
        into.spent += part.spent;
        into.first_order_at = earliest(into.first_order_at, part.first_order_at);
        into.last_order_at = into.last_order_at.max(part.last_order_at);
    }
}

/// Unlike `min`, takes a time before none.
fn earliest(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    one.into_iter().chain(other).min()
}

/// Those who have spent most, in one currency or in each.
///
/// # Errors
/// [`QueryError`].
pub async fn list(
    models: &TableRouter,
    currency: Option<Currency>,
    limit: i64,
) -> Result<Vec<CustomerValueRow>, QueryError> {
    let table = models.table::<CustomerValue>().await?;
    let query = sqlx::query_as(table.sql(LIST)).bind(currency.map(|currency| currency.to_string()));
    Ok(query.bind(limit).fetch_all(models.db()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projections::lives::{Life, rows};

    #[test]
    fn a_customer_has_a_row_a_currency_with_what_stays_confirmed() {
        let lives = [
            Life::placed(3, "2026-03-02T12:00:00Z").confirmed(1),
            Life::placed(2, "2026-03-01T12:00:00Z").confirmed(1).cancelled(5),
            Life::placed(9, "2026-03-03T12:00:00Z").rejected(1),
            Life::placed(1, "2026-03-02T12:00:00Z").paying("USD").confirmed(1),
        ];
        let rows = rows::<CustomerValue>(lives.iter().flat_map(Life::events));
        assert_eq!(rows.len(), 2);
        let eur = &rows["ada/EUR"];
        assert_eq!((eur.user_id.as_str(), eur.currency.as_str()), ("ada", "EUR"));
        assert_eq!((eur.orders, eur.confirmed, eur.spent), (3, 1, 300));
        let days = [eur.first_order_at, eur.last_order_at].map(|at| at.map(|at| at.date_naive().to_string()));
        assert_eq!(days, [Some("2026-03-01".to_owned()), Some("2026-03-03".to_owned())]);
        assert_eq!(rows["ada/USD"].spent, 100);
    }
}
