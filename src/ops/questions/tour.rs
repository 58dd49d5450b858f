//! `tour`: five things to do for whoever sees this for the first time. Each ticks itself off: what was done is told by the
//! orders and the audit, whoever did it and by whatever means.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::orders::unanswered;
use crate::domain::UserId;
use crate::ops::audit;
use crate::ops::{Context, Question, Unanswered};
use crate::projections::order_view::{self, Filter};
use crate::read_model::TableRouter;

/// Whoever places the order of the first step.
const CUSTOMER: &str = "tour";
/// The reason that the demonstration gives: what it does itself does not count.
pub const DEMONSTRATION: &str = "the demonstration";
/// Operations looked at of one action.
const LOOKED_AT: u32 = 100;

/// Nothing narrows it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its name.
    pub key: &'static str,
    /// What to do.
    pub title: &'static str,
    /// How.
    pub how: &'static str,
    /// The screen where it is done.
    pub screen: &'static str,
    /// Whether somebody has.
    pub is_done: bool,
}

/// The tour.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// In order.
    pub steps: Vec<Step>,
}

/// The question itself.
#[derive(Debug)]
pub struct Tour;

impl Question for Tour {
    const NAME: &'static str = "tour";
    const ABOUT: &'static str = "Five things to do for whoever sees this for the first time; each ticks itself off";
    const COLUMNS: &'static [&'static str] = &["/isDone", "/title", "/how"];
    type Args = Args;
    type Answer = Answer;

    async fn ask(_args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let placed = placed(context).await?;
        let explained = done("personal reveal", context).await?;
        let resumed = done("consumers resume", context).await?;
        let replayed = done("dlq replay", context).await?;
        let promoted = done("projections promote", context).await?;
        let step = |key, title, how, screen, is_done| Step { key, title, how, screen, is_done };
        Ok(Answer {
            steps: vec![
                step(
                    "place",
                    "Place an order as the customer tour, and see what it causes",
                    "curl -X POST …/v1/orders with userId tour (make up prints it whole); its picture is on the screen Trace",
                    "orders?user=tour",
                    placed,
                ),
                step(
                    "why",
                    "Read why an order is not done, and see whose it is",
                    "Choose one that has been processing too long; \"Show the customer\" asks why and keeps that",
                    "orders?status=processing",
                    explained,
                ),
                step(
                    "hold",
                    "Pause a consumer, watch it fall behind, and let it go on",
                    "The others do not notice; nothing is lost",
                    "consumers/notification",
                    resumed,
                ),
                step(
                    "replay",
                    "Try a dead letter, mend it with a patch, replay it",
                    "A patch that gives userId another name is enough; what waits behind it goes on",
                    "dead-letters",
                    replayed,
                ),
                step(
                    "rebuild",
                    "Rebuild a read model beside the live one, compare, promote",
                    "The way back is one button, too",
                    "projections/customer_orders",
                    promoted,
                ),
            ],
        })
    }
}

async fn placed(context: &Context) -> Result<bool, Unanswered> {
    let user_id: Option<UserId> = CUSTOMER.parse().ok();
    let models = TableRouter::new(context.db.clone());
    let found = order_view::list(&models, &Filter { user_id, status: None }, None, 1).await.map_err(unanswered)?;
    Ok(!found.is_empty())
}

async fn done(action: &str, context: &Context) -> sqlx::Result<bool> {
    let operations = audit::recent(Some(action), LOOKED_AT, &context.db).await?;
    Ok(operations.iter().any(|operation| operation.reason != DEMONSTRATION))
}
