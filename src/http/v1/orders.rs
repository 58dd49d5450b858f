//! Orders: read, list, move along.

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;
use uuid::Uuid;

use super::Shared;
use super::answer::{Accepted, Answer, Found};
use super::fresh::Freshness;
use super::place_order::{OrderStatus, place};
use crate::domain::order::{Command, Line, MissingLine, Order, Status};
use crate::domain::{Aggregate, Money, OrderId, UserId};
use crate::event_store;
use crate::http::Gateway;
use crate::http::error::{Failed, FieldError, Problem, Refused, internal};
use crate::http::extract::{Id, OptionalBody, Params, Story};
use crate::http::limits::Checks;
use crate::projections::OrderView;
use crate::projections::order_view::{self, Filter, Moment, OrderRow};
use crate::read_model::Table;
use crate::read_model::wait::{Waited, until};

/// How long a reader of an order just accepted is kept until the view has it.
const ACCEPTED_WAIT: Duration = Duration::from_millis(500);
/// Most events of a story: an order's life has six.
const STORY_MAX: i64 = 1_000;
/// Reason of a cancellation that gives none.
const NO_REASON: &str = "cancelled";

pub(super) fn routes() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route(
            "/v1/orders",
            post_with(place, |op| op.id("placeOrder").summary("Places an order"))
                .get_with(list, |op| op.id("listOrders").summary("Lists orders, newest first")),
        )
        .api_route("/v1/orders/{id}", get_with(get, |op| op.id("getOrder").summary("One order with its story")))
        .api_route(
            "/v1/orders/{id}/events",
            get_with(events, |op| op.id("orderEvents").summary("Its events, from the log")),
        )
        .api_route("/v1/orders/{id}/cancel", post_with(cancel, |op| op.id("cancelOrder").summary("Withdraws it")))
        .api_route("/v1/orders/{id}/ship", post_with(ship, |op| op.id("shipOrder").summary("It has left the house")))
        .api_route("/v1/orders/{id}/deliver", post_with(deliver, |op| op.id("deliverOrder").summary("It has arrived")))
}

/// One order.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OrderBody {
    order_id: Uuid,
    user_id: String,
    status: String,
    /// Prices are in minor units of the total's currency.
    items: Vec<Line>,
    total: Money,
    /// Why it was rejected or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The lines that were short, if it was rejected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<MissingLine>,
    /// What happened and when, oldest first.
    timeline: Vec<Moment>,
    version: i32,
    created_at: Option<DateTime<Utc>>,
    confirmed_at: Option<DateTime<Utc>>,
}

impl TryFrom<OrderRow> for OrderBody {
    type Error = Refused;

    fn try_from(row: OrderRow) -> Result<Self, Refused> {
        let currency = row.currency.parse().map_err(|why| internal(&why))?;
        Ok(Self {
            order_id: row.order_id,
            user_id: row.user_id,
            status: row.status,
            items: row.items.0,
            total: Money::new(row.total_amount, currency).map_err(|why| internal(&why))?,
            reason: row.reason,
            missing: row.missing.0,
            timeline: row.timeline.0,
            version: row.version,
            created_at: row.created_at,
            confirmed_at: row.confirmed_at,
        })
    }
}

async fn get(
    State(gateway): State<Shared>,
    Id(order_id): Id<OrderId>,
    Params(freshness): Params<Freshness>,
) -> Result<Found<OrderBody>, Failed> {
    let table = Table::<OrderView>::active();
    let behind = freshness.reached(table.name(), &gateway).await?;
    let row = match order_view::get(&gateway.db, order_id).await? {
        Some(row) => row,
        None => just_accepted(&gateway, order_id, table.name(), freshness.is_asked()).await?,
    };
    Ok(Answer::new(OrderBody::try_from(row)?).behind(behind))
}

/// The view has no such order. The log knows whether there is none, or the view is only behind: an order that was
/// accepted is never "not found".
async fn just_accepted(
    gateway: &Gateway,
    order_id: OrderId,
    view: &str,
    has_waited: bool,
) -> Result<OrderRow, Refused> {
    let first = event_store::stream(&gateway.db, &Order::stream_id(&order_id), 0, 1).await?;
    let Some(created) = first.first() else {
        return Err(Problem::not_found("order_not_found", format!("there is no order {order_id}")));
    };
    let bound = if has_waited { Duration::ZERO } else { ACCEPTED_WAIT };
    if until(&gateway.db, view, created.token(), bound).await? == Waited::Reached
        && let Some(row) = order_view::get(&gateway.db, order_id).await?
    {
        return Ok(row);
    }
    Err(Problem::unavailable("view_behind", "the order is accepted, but its view is behind", Duration::from_secs(1)))
}

/// What to list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Listing {
    /// Only this customer's.
    user_id: Option<UserId>,
    /// Only those that stand there.
    status: Option<Status>,
    /// Most entries of the page: 1 to 200, 50 if left out.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// A page of orders, newest first.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<OrderBody>,
    /// Asks for the page after this one; null on the last.
    next_cursor: Option<String>,
}

async fn list(State(gateway): State<Shared>, Params(listing): Params<Listing>) -> Result<Found<Page>, Failed> {
    let most = gateway.config.page;
    let limit = listing.limit.unwrap_or(50.min(most));
    if !(1..=most).contains(&limit) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_query", format!("limit is 1 to {most}, not {limit}"))
            .errors(vec![FieldError::new("limit", format!("expected 1 to {most}"))])
            .next("ask for a smaller page and follow nextCursor")
            .into());
    }
    let after = listing.cursor.as_deref().map(read_cursor).transpose()?;
    let filter = Filter { user_id: listing.user_id, status: listing.status };
    let mut rows = order_view::list(&gateway.db, &filter, after, i64::from(limit) + 1).await?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let last = rows.last().filter(|_| has_more);
    let next_cursor = last.and_then(|row| row.created_at.map(|at| write_cursor(at, row.order_id)));
    let items = rows.into_iter().map(OrderBody::try_from).collect::<Result<_, _>>()?;
    Ok(Answer::new(Page { items, next_cursor }))
}

/// 16 digits of time, 32 of id, all hexadecimal: opaque, and safe in a query.
fn write_cursor(at: DateTime<Utc>, order_id: Uuid) -> String {
    format!("{:016x}{}", at.timestamp_micros(), order_id.simple())
}

fn read_cursor(cursor: &str) -> Result<(DateTime<Utc>, Uuid), Refused> {
    let read = || {
        let (at, id) = cursor.split_at_checked(16)?;
        let is_ours = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        let micros = i64::from_str_radix(at, 16).ok().filter(|_| cursor.len() == 48 && cursor.bytes().all(is_ours))?;
        Some((DateTime::from_timestamp_micros(micros)?, Uuid::try_parse(id).ok()?))
    };
    read().ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", "the cursor is none of this service's")
            .errors(vec![FieldError::new("cursor", "expected the nextCursor of an earlier page")])
            .next("begin without a cursor")
    })
}

/// One event of an order, as the log holds it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EventBody {
    event_id: Uuid,
    /// Such as `order.created`.
    #[serde(rename = "type")]
    event_type: String,
    /// Its number in the order's stream, 1..n.
    version: i32,
    /// Where it stands in the log.
    position: String,
    recorded_at: DateTime<Utc>,
    /// What every event of its story shares.
    correlation_id: Option<Uuid>,
    #[schemars(with = "serde_json::Value")]
    payload: Box<RawValue>,
}

/// An order's events.
#[derive(Debug, Serialize, JsonSchema)]
struct Events {
    items: Vec<EventBody>,
}

async fn events(State(gateway): State<Shared>, Id(order_id): Id<OrderId>) -> Result<Found<Events>, Failed> {
    let recorded = event_store::stream(&gateway.db, &Order::stream_id(&order_id), 0, STORY_MAX).await?;
    if recorded.is_empty() {
        return Err(Problem::not_found("order_not_found", format!("there is no order {order_id}")).into());
    }
    let items = recorded.into_iter().map(|event| {
        Ok(EventBody {
            event_id: event.id(),
            version: event.version,
            position: event.token().to_string(),
            recorded_at: event.recorded_at,
            correlation_id: event.meta().correlation_id,
            event_type: event.event_type,
            payload: RawValue::from_string(event.payload).map_err(|why| internal(&why))?,
        })
    });
    Ok(Answer::new(Events { items: items.collect::<Result<_, Refused>>()? }))
}

/// Why it is withdrawn.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Cancellation {
    /// In the customer's words.
    reason: Option<String>,
}

async fn cancel(
    State(gateway): State<Shared>,
    Id(order_id): Id<OrderId>,
    story: Story,
    OptionalBody(cancellation): OptionalBody<Cancellation>,
) -> Result<Accepted<OrderStatus>, Failed> {
    let reason = cancellation.reason.unwrap_or_else(|| NO_REASON.to_owned());
    let mut checks = Checks::default();
    checks.text("reason", &reason);
    checks.done()?;
    moved(&gateway, order_id, Command::Cancel { reason }, Status::Cancelled, story).await
}

async fn ship(
    State(gateway): State<Shared>,
    Id(order_id): Id<OrderId>,
    story: Story,
) -> Result<Accepted<OrderStatus>, Failed> {
    moved(&gateway, order_id, Command::Ship, Status::Shipped, story).await
}

async fn deliver(
    State(gateway): State<Shared>,
    Id(order_id): Id<OrderId>,
    story: Story,
) -> Result<Accepted<OrderStatus>, Failed> {
    moved(&gateway, order_id, Command::Deliver, Status::Delivered, story).await
}

async fn moved(
    gateway: &Gateway,
    order_id: OrderId,
    command: Command,
    status: Status,
    story: Story,
) -> Result<Accepted<OrderStatus>, Failed> {
    let receipt = gateway.commands.orders.execute(order_id, command, story.request(None)).await?;
    Ok(Answer::new(OrderStatus { order_id, status }).position(receipt.token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let at = DateTime::from_timestamp_micros(1_700_000_000_123_456).expect("a time");
        let id = Uuid::from_u128(0x1234_5678_9abc);
        assert_eq!(read_cursor(&write_cursor(at, id)).ok(), Some((at, id)));
    }

    #[test]
    fn any_other_cursor_is_refused() {
        let good = write_cursor(DateTime::UNIX_EPOCH, Uuid::nil());
        for bad in [
            "",
            "abc",
            "ä",
            &good[1..],
            &format!("{good}0"),
            &good.replace('0', "g"),
            &"f".repeat(48),
            &good.replacen('0', "+", 1),
        ] {
            let problem = read_cursor(bad).expect_err(bad);
            assert_eq!((problem.status().as_u16(), problem.code()), (400, "bad_cursor"), "{bad}");
        }
    }
}
