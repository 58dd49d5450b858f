//! Who is told what about an order.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::Shared;
use super::answer::{Answer, Found};
use super::fresh::Freshness;
use crate::domain::order::Order;
use crate::domain::{Aggregate, OrderId};
use crate::event_store;
use crate::http::error::{Failed, Problem};
use crate::http::extract::{Id, Params};
use crate::projections::Notifications;
use crate::projections::notifications::{self, NotificationRow};
use crate::read_model::Projection as _;

pub(super) fn routes() -> ApiRouter<Shared> {
    ApiRouter::new().api_route(
        "/v1/orders/{id}/notifications",
        get_with(of_order, |op| op.id("orderNotifications").summary("Who is told what about it, the first first")),
    )
}

/// One notification.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NotificationBody {
    /// Who is to be told.
    user_id: String,
    /// What: `order_created`, `order_confirmed`, `order_rejected` or `order_shipped`.
    template: String,
    /// How far it has come: `requested`.
    state: String,
    requested_at: Option<DateTime<Utc>>,
}

/// The notifications about an order.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Told {
    items: Vec<NotificationBody>,
}

impl From<NotificationRow> for NotificationBody {
    fn from(row: NotificationRow) -> Self {
        Self { user_id: row.user_id, template: row.template, state: row.state, requested_at: row.requested_at }
    }
}

async fn of_order(
    State(gateway): State<Shared>,
    Id(order_id): Id<OrderId>,
    Params(freshness): Params<Freshness>,
) -> Result<Found<Told>, Failed> {
    let behind = freshness.reached(Notifications::NAME, &gateway).await?;
    let rows = notifications::of_order(&gateway.models, order_id).await?;
    // None yet, or no such order: the log knows.
    if rows.is_empty() && event_store::stream(&gateway.db, &Order::stream_id(&order_id), 0, 1).await?.is_empty() {
        return Err(Problem::not_found("order_not_found", format!("there is no order {order_id}")).into());
    }
    Ok(Answer::new(Told { items: rows.into_iter().map(NotificationBody::from).collect() }).behind(behind))
}
