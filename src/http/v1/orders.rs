//! Orders: read, list, move along.

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::extract::State;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;
use uuid::Uuid;

use super::Shared;
use super::answer::{Accepted, Answer, Found};
use super::fresh::Freshness;
use super::page::{Page, limit, read_cursor};
use super::past::order_at;
use super::place_order::{OrderStatus, place};
use crate::domain::order::{Command, Line, MissingLine, Order, Status};
use crate::domain::{Aggregate, Money, OrderId, UserId};
use crate::event_store;
use crate::http::Gateway;
use crate::http::error::{Failed, Problem, Refused, internal};
use crate::http::extract::{Id, OptionalBody, Params, Story};
use crate::http::limits::Checks;
use crate::projections::OrderView;
use crate::projections::order_view::{self, Filter, Moment, OrderRow};
use crate::read_model::Projection as _;
use crate::read_model::wait::{Waited, until};

/// How long a reader of an order just accepted is kept until the view has it.
const ACCEPTED_WAIT: Duration = Duration::from_millis(500);
/// Most events of a story: an order's life has six.
pub(super) const STORY_MAX: i64 = 1_000;
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

/// Which state of an order.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    /// As it was: a version of the order, such as 2, or a time, such as 2026-11-26T10:00:00Z. Answered from the log, which
    /// is never behind: `after` and `wait` say nothing then.
    at: Option<String>,
    /// A position from an `Ordo-Position` header: the answer has seen it, or says `Ordo-Stale`.
    #[schemars(regex(pattern = "^[0-9]+:[0-9]+$"))]
    after: Option<String>,
    /// Longest wait for it, in milliseconds.
    wait: Option<u64>,
}

async fn get(
    State(gateway): State<Shared>,
    Id(order_id): Id<OrderId>,
    Params(Asked { at, after, wait }): Params<Asked>,
) -> Result<Found<OrderBody>, Failed> {
    if let Some(at) = at {
        return Ok(Answer::new(OrderBody::try_from(order_at(&gateway, order_id, &at).await?)?));
    }
    let freshness = Freshness::of(after, wait);
    let behind = freshness.reached(OrderView::NAME, &gateway).await?;
    let row = match order_view::get(&gateway.models, order_id).await? {
        Some(row) => row,
        None => just_accepted(&gateway, order_id, freshness.is_asked()).await?,
    };
    Ok(Answer::new(OrderBody::try_from(row)?).behind(behind))
}

/// The view has no such order. The log knows whether there is none, or the view is only behind: an order that was
/// accepted is never "not found".
async fn just_accepted(gateway: &Gateway, order_id: OrderId, has_waited: bool) -> Result<OrderRow, Refused> {
    let first = event_store::stream(&gateway.db, &Order::stream_id(&order_id), 0, 1).await?;
    let Some(created) = first.first() else {
        return Err(Problem::not_found("order_not_found", format!("there is no order {order_id}")));
    };
    let bound = if has_waited { Duration::ZERO } else { ACCEPTED_WAIT };
    if until(&gateway.db, OrderView::NAME, created.token(), bound).await? == Waited::Reached
        && let Some(row) = order_view::get(&gateway.models, order_id).await?
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

async fn list(
    State(gateway): State<Shared>,
    Params(listing): Params<Listing>,
) -> Result<Found<Page<OrderBody>>, Failed> {
    let limit = limit(listing.limit, gateway.config.page)?;
    let after = listing.cursor.as_deref().map(read_cursor).transpose()?;
    let filter = Filter { user_id: listing.user_id, status: listing.status };
    let rows = order_view::list(&gateway.models, &filter, after, i64::from(limit) + 1).await?;
    let place = |row: &OrderRow| row.created_at.map(|at| (at, row.order_id));
    Ok(Answer::new(Page::of(rows, limit, place, OrderBody::try_from)?))
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
