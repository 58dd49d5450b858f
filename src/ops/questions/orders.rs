//! `orders`: orders of all customers, newest first, and which of them take too long.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::consumers::age;
use crate::clock;
use crate::domain::UserId;
use crate::domain::order::Status;
use crate::ops::mask::Mask;
use crate::ops::{Context, Question, Unanswered};
use crate::projections::order_view::{self, Filter, OrderRow};
use crate::read_model::{QueryError, TableRouter};

/// An order that is processing for longer, in seconds, takes too long.
const TOO_LONG: f64 = 30.0;
/// Most orders of a page.
const MOST: u32 = 200;

/// Narrows the answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {
    /// Only those that stand there: `processing`, `confirmed`, `rejected`, `cancelled`, `shipped` or `delivered`.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only this customer's.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How many: 1 to 200.
    #[arg(long, default_value_t = Args::default().limit)]
    #[schemars(range(min = 1, max = 200))]
    pub limit: u32,
    /// Where the last page ended: its `next`.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Default for Args {
    fn default() -> Self {
        Self { status: None, user: None, limit: 50, after: None }
    }
}

/// An order in a list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Which.
    pub order_id: Uuid,
    /// Whose; masked.
    pub user: String,
    /// Where it stands.
    pub status: String,
    /// Sum in minor units.
    pub total_amount: i64,
    /// Currency of the sum.
    pub currency: String,
    /// Its last event.
    pub last_event: Option<String>,
    /// When that was recorded.
    pub last_at: Option<DateTime<Utc>>,
    /// When it was accepted.
    pub created_at: Option<DateTime<Utc>>,
    /// How long it has been processing, in seconds, if it takes too long.
    pub stuck_seconds: Option<f64>,
}

/// Orders.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// Newest first.
    pub orders: Vec<Line>,
    /// Where the next page begins, if this one is full.
    pub next: Option<String>,
}

/// The question itself.
#[derive(Debug)]
pub struct Orders;

impl Question for Orders {
    const NAME: &'static str = "orders";
    const ABOUT: &'static str = "Orders of all customers, newest first, and which of them take too long";
    const EXAMPLE: Option<&'static str> = Some("ordo orders --status processing");
    type Args = Args;
    type Answer = Answer;

    async fn ask(args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let status = args.status.as_deref().map(status).transpose()?;
        let invalid = |field: &str, why: String| Unanswered::Invalid(format!("{field}: {why}"));
        let user_id = args.user.map(|user| user.parse::<UserId>().map_err(|why| invalid("user", why.to_string())));
        let after = args.after.as_deref().map(place).transpose()?;
        let limit = args.limit.clamp(1, MOST);
        let models = TableRouter::new(context.db.clone());
        let filter = Filter { user_id: user_id.transpose()?, status };
        let rows = order_view::list(&models, &filter, after, i64::from(limit)).await.map_err(unanswered)?;
        let full = rows.len() == limit as usize;
        let last = rows.last().filter(|_| full);
        let next = last.and_then(|row| Some(format!("{}_{}", row.created_at?.to_rfc3339(), row.order_id)));
        let (mask, now) = (Mask::of(&context.caller), clock::now());
        Ok(Answer { orders: rows.into_iter().map(|row| line(row, mask, now)).collect(), next })
    }
}

/// That a read model did not answer.
pub(super) fn unanswered(error: QueryError) -> Unanswered {
    match error {
        QueryError::Postgres(error) => error.into(),
        QueryError::NotBuilt(error) => Unanswered::Invalid(error.to_string()),
    }
}

fn line(row: OrderRow, mask: Mask, now: DateTime<Utc>) -> Line {
    let last = row.timeline.0.last();
    let waits = row.created_at.map(|at| age(at, now)).filter(|seconds| *seconds > TOO_LONG);
    Line {
        order_id: row.order_id,
        user: mask.text(&row.user_id),
        stuck_seconds: waits.filter(|_| row.status == Status::Processing.as_str()),
        last_event: last.map(|moment| moment.event.clone()),
        last_at: last.map(|moment| moment.at),
        status: row.status,
        total_amount: row.total_amount,
        currency: row.currency,
        created_at: row.created_at,
    }
}

fn status(word: &str) -> Result<Status, Unanswered> {
    serde_json::from_value(word.into()).map_err(|_| {
        Unanswered::Invalid(format!(
            "status: {word:?} is none of processing, confirmed, rejected, cancelled, shipped, delivered"
        ))
    })
}

fn place(text: &str) -> Result<(DateTime<Utc>, Uuid), Unanswered> {
    let read = || {
        let (at, id) = text.split_once('_')?;
        Some((DateTime::parse_from_rfc3339(at).ok()?.to_utc(), id.parse().ok()?))
    };
    read().ok_or_else(|| Unanswered::Invalid("after: take it from `next` of the page before".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rubbish_narrows_nothing_and_says_what_would() {
        assert_eq!(status("shipped").ok(), Some(Status::Shipped));
        for bad in ["", "SHIPPED", "lost"] {
            assert!(matches!(status(bad), Err(Unanswered::Invalid(why)) if why.contains("confirmed")), "{bad}");
        }
        for bad in ["", "_", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z_x"] {
            assert!(place(bad).is_err(), "{bad}");
        }
        assert!(place("2026-01-01T00:00:00+00:00_0192f0c1-7c1e-7d6e-a4c1-0242ac120002").is_ok());
    }
}
