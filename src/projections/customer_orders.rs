//! The orders of each customer, one narrow row an order, to be filtered and walked page by page. Fed from the log.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::order::{Event, Line, Status};
use crate::domain::{Currency, UserId};
use crate::read_model::{Projection, QueryError, Recorded, TableRouter, row};

/// One statement a shape, so that each has a plan of its own; the rest only filters.
const LIST: &str = "select order_id, user_id, status, total_amount, currency, lines, pieces, placed_at, changed_at, version \
    from {table} where user_id = $1 \
    and ($2::timestamptz is null or (placed_at, order_id) < ($2, $3)) \
    and ($4::timestamptz is null or placed_at >= $4) and ($5::timestamptz is null or placed_at < $5) \
    and ($6::text is null or currency = $6) and ($7::bigint is null or total_amount >= $7) \
    order by placed_at desc, order_id desc limit $8";
const LIST_IN_STATUS: &str = "select order_id, user_id, status, total_amount, currency, lines, pieces, placed_at, \
    changed_at, version from {table} where user_id = $1 and status = $9 \
    and ($2::timestamptz is null or (placed_at, order_id) < ($2, $3)) \
    and ($4::timestamptz is null or placed_at >= $4) and ($5::timestamptz is null or placed_at < $5) \
    and ($6::text is null or currency = $6) and ($7::bigint is null or total_amount >= $7) \
    order by placed_at desc, order_id desc limit $8";

row! {
    /// One order of a customer.
    pub struct CustomerOrderRow {
        /// Which.
        key order_id: Uuid => "uuid",
        /// Whose.
        user_id: String => "text",
        /// Where it stands.
        status: String => "text",
        /// Sum in minor units.
        total_amount: i64 => "bigint",
        /// Currency of the sum.
        currency: String => "text",
        /// How many products it names.
        lines: i32 => "integer",
        /// How many pieces of all of them.
        pieces: i64 => "bigint",
        /// When it was accepted.
        placed_at: Option<DateTime<Utc>> => "timestamptz",
        /// When its last event was recorded.
        changed_at: Option<DateTime<Utc>> => "timestamptz",
        /// Version of its stream.
        version: i32 => "integer",
    }
}

/// The read model itself.
#[derive(Debug)]
pub struct CustomerOrders;

impl Projection for CustomerOrders {
    const NAME: &'static str = "customer_orders";
    const VERSION: u16 = 1;
    const TEMPLATE: &'static str = include_str!("customer_orders.sql");
    const STREAMS: &'static [&'static str] = &["order:"];
    const SHARED_ROWS: bool = false;
    type Event = Event;
    type Row = CustomerOrderRow;

    fn keys(recorded: &Recorded<Event>) -> Vec<Uuid> {
        vec![recorded.event.order_id().into()]
    }

    fn fold(row: &mut CustomerOrderRow, recorded: &Recorded<Event>) {
        row.version = recorded.version;
        row.changed_at = recorded.recorded_at;
        if let Event::Created(created) = &recorded.event {
            row.user_id = created.user_id.to_string();
            row.total_amount = created.total_amount;
            row.currency = created.currency.to_string();
            row.lines = i32::try_from(created.items.len()).unwrap_or(i32::MAX);
            row.pieces = pieces(&created.items);
            row.placed_at = Some(created.created_at);
        }
        recorded.event.status().as_str().clone_into(&mut row.status);
    }

    fn merge(into: &mut CustomerOrderRow, part: CustomerOrderRow) {
        if part.version > into.version {
            *into = part;
        }
    }
}

fn pieces(items: &[Line]) -> i64 {
    items.iter().map(|line| i64::from(line.quantity)).sum()
}

/// Which of a customer's orders to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that stand there.
    pub status: Option<Status>,
    /// Accepted at that time or later.
    pub from: Option<DateTime<Utc>>,
    /// Accepted before that time.
    pub to: Option<DateTime<Utc>>,
    /// Only in this currency.
    pub currency: Option<Currency>,
    /// Of at least this sum, in minor units of whichever currency.
    pub minimum: Option<i64>,
}

/// Orders of a customer by time, newest first, after a place in that order; at most `limit`.
///
/// # Errors
/// [`QueryError`].
pub async fn list(
    models: &TableRouter,
    user_id: &UserId,
    filter: &Filter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<CustomerOrderRow>, QueryError> {
    let table = models.table::<CustomerOrders>().await?;
    let template = if filter.status.is_some() { LIST_IN_STATUS } else { LIST };
    let query = sqlx::query_as(table.sql(template))
        .bind(user_id.as_str())
        .bind(after.map(|place| place.0))
        .bind(after.map(|place| place.1))
        .bind(filter.from)
        .bind(filter.to)
        .bind(filter.currency.map(|currency| currency.to_string()))
        .bind(filter.minimum)
        .bind(limit);
    match filter.status {
        Some(status) => Ok(query.bind(status.as_str()).fetch_all(models.db()).await?),
        None => Ok(query.fetch_all(models.db()).await?),
    }
}
