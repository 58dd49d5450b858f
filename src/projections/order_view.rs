//! One order as its customer sees it, with its story. Fed from the log, so it works with Kafka stopped.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use crate::contracts::RecordedEvent;
use crate::domain::order::{Event, Line, MissingLine, Status};
use crate::domain::{DomainEvent, OrderId, Unreadable, UserId};
use crate::read_model::{Projection, QueryError, Recorded, Row, TableRouter, row};

const GET: &str = "select order_id, user_id, status, items, total_amount, currency, reason, missing, timeline, version, \
    created_at, confirmed_at from {table} where order_id = $1";
/// One statement a shape, so that each has a plan of its own; `status` only filters.
const LIST_ALL: &str = "select order_id, user_id, status, items, total_amount, currency, reason, missing, timeline, \
    version, created_at, confirmed_at from {table} \
    where ($1::text is null or status = $1) and ($2::timestamptz is null or (created_at, order_id) < ($2, $3)) \
    order by created_at desc, order_id desc limit $4";
const LIST_OF_USER: &str = "select order_id, user_id, status, items, total_amount, currency, reason, missing, timeline, \
    version, created_at, confirmed_at from {table} \
    where ($1::text is null or status = $1) and ($2::timestamptz is null or (created_at, order_id) < ($2, $3)) \
    and user_id = $5 order by created_at desc, order_id desc limit $4";

row! {
    /// One order.
    pub struct OrderRow {
        /// Which.
        key order_id: Uuid => "uuid",
        /// Whose.
        user_id: String => "text",
        /// Where it stands.
        status: String => "text",
        /// What was ordered.
        items: Json<Vec<Line>> => "jsonb",
        /// Sum in minor units.
        total_amount: i64 => "bigint",
        /// Currency of the sum.
        currency: String => "text",
        /// Why it was rejected or cancelled.
        reason: Option<String> => "text",
        /// The lines that were short, if it was rejected.
        missing: Json<Vec<MissingLine>> => "jsonb",
        /// What happened and when, oldest first.
        timeline: Json<Vec<Moment>> => "jsonb",
        /// Version of its stream.
        version: i32 => "integer",
        /// When it was accepted.
        created_at: Option<DateTime<Utc>> => "timestamptz",
        /// When it was confirmed.
        confirmed_at: Option<DateTime<Utc>> => "timestamptz",
    }
}

/// One thing that happened to an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// The event's type, such as `order.confirmed`.
    pub event: String,
    /// When it was recorded.
    pub at: DateTime<Utc>,
}

/// The read model itself.
#[derive(Debug)]
pub struct OrderView;

impl Projection for OrderView {
    const NAME: &'static str = "order_view";
    const VERSION: u16 = 1;
    const TEMPLATE: &'static str = include_str!("order_view.sql");
    const STREAMS: &'static [&'static str] = &["order:"];
    const SHARED_ROWS: bool = false;
    type Event = Event;
    type Row = OrderRow;

    fn keys(recorded: &Recorded<Event>) -> Vec<Uuid> {
        let order_id = match &recorded.event {
            Event::Created(created) => created.order_id,
            Event::Confirmed(moved) | Event::Cancelled(moved) => moved.order_id,
            Event::Rejected(rejected) => rejected.order_id,
            Event::Shipped(ended) | Event::Delivered(ended) => ended.order_id,
        };
        vec![order_id.into()]
    }

    fn fold(row: &mut OrderRow, recorded: &Recorded<Event>) {
        row.version = recorded.version;
        if let Some(at) = recorded.recorded_at {
            row.timeline.push(Moment { event: recorded.event.event_type().to_owned(), at });
        }
        match &recorded.event {
            Event::Created(created) => {
                row.user_id = created.user_id.to_string();
                row.items = Json(created.items.clone());
                row.total_amount = created.total_amount;
                row.currency = created.currency.to_string();
                row.created_at = Some(created.created_at);
                row.set_status(Status::Processing);
            }
            Event::Confirmed(moved) => {
                row.confirmed_at = moved.confirmed_at;
                row.set_status(Status::Confirmed);
            }
            Event::Rejected(rejected) => {
                row.reason = Some(rejected.reason.clone());
                row.missing = Json(rejected.missing.clone());
                row.set_status(Status::Rejected);
            }
            Event::Cancelled(moved) => {
                row.reason.clone_from(&moved.reason);
                row.set_status(Status::Cancelled);
            }
            Event::Shipped(_) => row.set_status(Status::Shipped),
            Event::Delivered(_) => row.set_status(Status::Delivered),
        }
    }

    fn merge(into: &mut OrderRow, part: OrderRow) {
        if part.version > into.version {
            *into = part;
        }
    }
}

impl OrderRow {
    fn set_status(&mut self, status: Status) {
        status.as_str().clone_into(&mut self.status);
    }
}

/// An order as these events, its first ones in order, leave it: what the view shows, without the view. `None` for none.
///
/// # Errors
/// An event that this build cannot read.
pub fn folded<'e>(events: impl IntoIterator<Item = &'e RecordedEvent>) -> Result<Option<OrderRow>, Unreadable> {
    let mut row = None;
    for stored in events {
        let event = Event::from_payload(&stored.event_type, &stored.payload)?;
        let recorded = Recorded { version: stored.version, recorded_at: Some(stored.recorded_at), event };
        for key in OrderView::keys(&recorded) {
            OrderView::fold(row.get_or_insert_with(|| OrderRow::empty(&key)), &recorded);
        }
    }
    Ok(row)
}

/// Which orders to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this customer's.
    pub user_id: Option<UserId>,
    /// Only those that stand there.
    pub status: Option<Status>,
}

/// One order; `None` if the view has not read of it.
///
/// # Errors
/// [`QueryError`].
pub async fn get(models: &TableRouter, order_id: OrderId) -> Result<Option<OrderRow>, QueryError> {
    let table = models.table::<OrderView>().await?;
    Ok(sqlx::query_as(table.sql(GET)).bind(Uuid::from(order_id)).fetch_optional(models.db()).await?)
}

/// Orders by time, newest first, after a place in that order; at most `limit`.
///
/// # Errors
/// [`QueryError`].
pub async fn list(
    models: &TableRouter,
    filter: &Filter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<OrderRow>, QueryError> {
    let table = models.table::<OrderView>().await?;
    let template = if filter.user_id.is_some() { LIST_OF_USER } else { LIST_ALL };
    let query = sqlx::query_as(table.sql(template))
        .bind(filter.status.map(Status::as_str))
        .bind(after.map(|place| place.0))
        .bind(after.map(|place| place.1))
        .bind(limit);
    match &filter.user_id {
        Some(user_id) => Ok(query.bind(user_id.as_str()).fetch_all(models.db()).await?),
        None => Ok(query.fetch_all(models.db()).await?),
    }
}
