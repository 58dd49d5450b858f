//! Figures: revenue by day, products, the funnel, customers; as far as the consumer `analytics` has come.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Shared;
use super::figures::{Figures, Format};
use crate::clock;
use crate::domain::Currency;
use crate::http::error::{Failed, FieldError, Problem, Refused};
use crate::http::extract::Params;
use crate::projections::Days;
use crate::projections::customer_value::{self, CustomerValueRow};
use crate::projections::daily_revenue::{self, DailyRevenueRow};
use crate::projections::order_funnel::{self, FunnelRow};
use crate::projections::top_products::{self, Rank, TopProductRow};

/// Days of an answer to whoever names none.
const DAYS: i64 = 30;
/// Most days of one answer: ten years.
const DAYS_MOST: i64 = 3_660;
/// Rows of a list whose caller names no number.
const ROWS: u32 = 20;
/// Most rows of a list.
const ROWS_MOST: u32 = 1_000;

pub(super) fn routes() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route(
            "/v1/analytics/revenue",
            get_with(revenue, |op| op.id("revenue").summary("What each UTC day came to, by currency")),
        )
        .api_route(
            "/v1/analytics/top-products",
            get_with(products, |op| op.id("topProducts").summary("What was sold most")),
        )
        .api_route(
            "/v1/analytics/funnel",
            get_with(funnel, |op| {
                op.id("funnel").summary("How far the orders placed on each UTC day have come, and how fast")
            }),
        )
        .api_route(
            "/v1/analytics/customers",
            get_with(customers, |op| op.id("customerValue").summary("Who has spent most")),
        )
}

/// Which days of revenue.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct OfDays {
    /// The first UTC day, such as 2026-11-01; 29 days before the last if left out.
    from: Option<NaiveDate>,
    /// The last UTC day; today if left out.
    to: Option<NaiveDate>,
    /// Only this currency.
    currency: Option<Currency>,
    /// `json` or `csv`; `Accept` decides if left out.
    format: Option<Format>,
}

/// Which days of the funnel.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct OfPlacing {
    /// The first UTC day on which orders were placed, such as 2026-11-01; 29 days before the last if left out.
    from: Option<NaiveDate>,
    /// The last UTC day; today if left out.
    to: Option<NaiveDate>,
    /// `json` or `csv`; `Accept` decides if left out.
    format: Option<Format>,
}

/// Which products.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Ranked {
    /// Most rows: 1 to 1,000, 20 if left out.
    #[schemars(range(min = 1, max = 1_000))]
    limit: Option<u32>,
    /// What counts: `revenue`, `pieces` or `orders`.
    by: Rank,
    /// Only this currency. Without it, minor units of all currencies are ranked as if they were of one.
    currency: Option<Currency>,
    /// `json` or `csv`; `Accept` decides if left out.
    format: Option<Format>,
}

/// Which customers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Spenders {
    /// Most rows: 1 to 1,000, 20 if left out.
    #[schemars(range(min = 1, max = 1_000))]
    limit: Option<u32>,
    /// Only this currency. Without it, minor units of all currencies are ranked as if they were of one.
    currency: Option<Currency>,
    /// `json` or `csv`; `Accept` decides if left out.
    format: Option<Format>,
}

async fn revenue(
    State(gateway): State<Shared>,
    headers: HeaderMap,
    Params(asked): Params<OfDays>,
) -> Result<Figures<DailyRevenueRow>, Failed> {
    let rows = daily_revenue::list(&gateway.models, days(asked.from, asked.to)?, asked.currency).await?;
    Ok(Figures::new(rows, Format::of(asked.format, &headers))?)
}

async fn products(
    State(gateway): State<Shared>,
    headers: HeaderMap,
    Params(asked): Params<Ranked>,
) -> Result<Figures<TopProductRow>, Failed> {
    let rows = top_products::list(&gateway.models, asked.by, asked.currency, most(asked.limit)?).await?;
    Ok(Figures::new(rows, Format::of(asked.format, &headers))?)
}

async fn funnel(
    State(gateway): State<Shared>,
    headers: HeaderMap,
    Params(asked): Params<OfPlacing>,
) -> Result<Figures<FunnelRow>, Failed> {
    let rows = order_funnel::list(&gateway.models, days(asked.from, asked.to)?).await?;
    Ok(Figures::new(rows, Format::of(asked.format, &headers))?)
}

async fn customers(
    State(gateway): State<Shared>,
    headers: HeaderMap,
    Params(asked): Params<Spenders>,
) -> Result<Figures<CustomerValueRow>, Failed> {
    let rows = customer_value::list(&gateway.models, asked.currency, most(asked.limit)?).await?;
    Ok(Figures::new(rows, Format::of(asked.format, &headers))?)
}

fn days(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Days, Refused> {
    let to = to.unwrap_or_else(|| clock::now().date_naive());
    let days = Days { from: from.unwrap_or_else(|| Days::until(to, DAYS).from), to };
    let why = match days.count() {
        1..=DAYS_MOST => return Ok(days),
        ..1 => format!("{} comes after {to}, the last day", days.from),
        count => format!("{} to {to} are {count} days, and {DAYS_MOST} are the most", days.from),
    };
    Err(refused("from", why, "ask for fewer days, the first before the last"))
}

fn most(limit: Option<u32>) -> Result<i64, Refused> {
    match limit.unwrap_or(ROWS) {
        limit @ 1..=ROWS_MOST => Ok(i64::from(limit)),
        limit => Err(refused("limit", format!("expected 1 to {ROWS_MOST}, not {limit}"), "ask for fewer rows")),
    }
}

fn refused(field: &str, why: String, next: &str) -> Refused {
    Problem::new(StatusCode::BAD_REQUEST, "bad_query", format!("{field}: {why}"))
        .errors(vec![FieldError::new(field, why)])
        .next(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Option<NaiveDate> {
        text.parse().ok()
    }

    #[test]
    fn who_names_no_days_gets_the_last_thirty() {
        let (today, asked) = (clock::now().date_naive(), days(None, None).expect("days"));
        assert_eq!((asked.to, asked.count()), (today, DAYS));
        assert_eq!(days(None, day("2026-03-30")).expect("days").from, day("2026-03-01").expect("a day"));
    }

    #[test]
    fn days_backwards_too_many_days_and_too_many_rows_are_refused() {
        assert!(days(day("2026-03-01"), day("2026-03-01")).is_ok());
        for (from, to) in [("2026-03-02", "2026-03-01"), ("2016-01-01", "2026-03-01"), ("-9999-01-01", "9999-01-01")] {
            let problem = days(day(from), day(to)).expect_err(from);
            assert_eq!((problem.status().as_u16(), problem.code()), (400, "bad_query"), "{from}");
        }
        assert_eq!((most(None).ok(), most(Some(1_000)).ok()), (Some(20), Some(1_000)));
        assert!(most(Some(0)).is_err() && most(Some(1_001)).is_err());
    }
}
