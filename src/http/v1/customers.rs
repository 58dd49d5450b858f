//! What belongs to a customer.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Shared;
use super::answer::{Answer, Found};
use super::page::{Page, limit, read_cursor};
use crate::domain::order::Status;
use crate::domain::{Currency, Money, UserId};
use crate::http::error::{Failed, FieldError, Problem, Refused, internal};
use crate::http::extract::{Id, Params};
use crate::projections::customer_orders::{self, CustomerOrderRow, Filter};

pub(super) fn routes() -> ApiRouter<Shared> {
    ApiRouter::new().api_route(
        "/v1/customers/{id}/orders",
        get_with(orders, |op| op.id("customerOrders").summary("A customer's orders, newest first")),
    )
}

/// Which orders of the customer.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Listing {
    /// Only those that stand there.
    status: Option<Status>,
    /// Only those accepted at that time or later.
    from: Option<DateTime<Utc>>,
    /// Only those accepted before that time.
    to: Option<DateTime<Utc>>,
    /// Only those in this currency.
    currency: Option<Currency>,
    /// Only those of at least this sum, in minor units of `currency`, which must be named with it.
    #[schemars(range(min = 0))]
    min_total: Option<i64>,
    /// Most entries of the page: 1 to 200, 50 if left out.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

impl Listing {
    fn filter(&self) -> Result<Filter, Refused> {
        let bad = |field: &str, why: &str| {
            Problem::new(StatusCode::BAD_REQUEST, "bad_query", format!("{field}: {why}"))
                .errors(vec![FieldError::new(field, why)])
                .next("correct the query parameter; /openapi.json names them all")
        };
        match (self.min_total, self.currency) {
            (Some(..0), _) => return Err(bad("minTotal", "expected 0 or more")),
            (Some(_), None) => return Err(bad("minTotal", "sums compare in one currency only; name it as `currency`")),
            _ => {}
        }
        if self.from.zip(self.to).is_some_and(|(from, to)| from >= to) {
            return Err(bad("to", "expected a time after `from`"));
        }
        let Self { status, from, to, currency, min_total: minimum, .. } = *self;
        Ok(Filter { status, from, to, currency, minimum })
    }
}

/// One order of a customer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CustomerOrder {
    order_id: Uuid,
    status: String,
    total: Money,
    /// How many products it names.
    lines: i32,
    /// How many pieces of all of them.
    pieces: i64,
    placed_at: Option<DateTime<Utc>>,
    /// When its last event was recorded.
    changed_at: Option<DateTime<Utc>>,
    version: i32,
}

impl TryFrom<CustomerOrderRow> for CustomerOrder {
    type Error = Refused;

    fn try_from(row: CustomerOrderRow) -> Result<Self, Refused> {
        let currency = row.currency.parse().map_err(|why| internal(&why))?;
        Ok(Self {
            order_id: row.order_id,
            status: row.status,
            total: Money::new(row.total_amount, currency).map_err(|why| internal(&why))?,
            lines: row.lines,
            pieces: row.pieces,
            placed_at: row.placed_at,
            changed_at: row.changed_at,
            version: row.version,
        })
    }
}

async fn orders(
    State(gateway): State<Shared>,
    Id(user_id): Id<UserId>,
    Params(listing): Params<Listing>,
) -> Result<Found<Page<CustomerOrder>>, Failed> {
    let limit = limit(listing.limit, gateway.config.page)?;
    let after = listing.cursor.as_deref().map(read_cursor).transpose()?;
    let rows =
        customer_orders::list(&gateway.models, &user_id, &listing.filter()?, after, i64::from(limit) + 1).await?;
    let place = |row: &CustomerOrderRow| row.placed_at.map(|at| (at, row.order_id));
    Ok(Answer::new(Page::of(rows, limit, place, CustomerOrder::try_from)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(listing: &Listing) -> Option<String> {
        listing.filter().err().map(|problem| problem.code().to_owned())
    }

    #[test]
    fn a_sum_compares_in_one_currency_and_a_span_runs_forward() {
        let eur = "EUR".parse().ok();
        let at = |seconds| DateTime::from_timestamp(seconds, 0);
        assert_eq!(refused(&Listing { min_total: Some(1), currency: eur, ..Listing::default() }), None);
        assert_eq!(refused(&Listing { from: at(1), to: at(2), ..Listing::default() }), None);
        for bad in [
            Listing { min_total: Some(1), ..Listing::default() },
            Listing { min_total: Some(-1), currency: eur, ..Listing::default() },
            Listing { from: at(2), to: at(2), ..Listing::default() },
        ] {
            assert_eq!(refused(&bad).as_deref(), Some("bad_query"), "{bad:?}");
        }
    }
}
