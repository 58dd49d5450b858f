//! `consumers resume`: a consumer goes on that an operator has paused or the breaker has stopped.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::ops::action::{Action, By, Refused};
use crate::ops::consumer::named;
use crate::subscription::control::{self, Hold};

/// Which consumer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its name, from `consumers list`.
    pub consumer: String,
}

/// The consumer, and what is to hold it no longer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Its name.
    pub consumer: String,
    /// When an operator paused it, if one did.
    pub paused_at: Option<DateTime<Utc>>,
    /// Why.
    pub paused_why: Option<String>,
    /// When the breaker stopped it, if it did.
    pub tripped_at: Option<DateTime<Utc>>,
    /// Why.
    pub tripped_why: Option<String>,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// What holds it no longer: `pause`, `breaker`.
    pub ended: Vec<&'static str>,
}

/// The action itself.
#[derive(Debug)]
pub struct ResumeConsumer;

impl Action for ResumeConsumer {
    const NAME: &'static str = "consumers resume";
    const ABOUT: &'static str = "Let a consumer go on that was paused, or that the breaker has stopped";
    const EXAMPLE: &'static str = "ordo consumers resume inventory --reason 'stocktaking is done'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(Args { consumer }: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        named(&consumer, tx).await?;
        let hold = control::held(&consumer, tx).await?;
        if !hold.holds() {
            return Err(nothing(&consumer));
        }
        let Hold { paused_at, paused_why, tripped_at, tripped_why, .. } = hold;
        Ok(Plan { consumer, paused_at, paused_why, tripped_at, tripped_why })
    }

    async fn execute(plan: Plan, _by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let hold = control::held(&plan.consumer, tx).await?;
        // A plan ends what its maker saw: a pause or a trip that came since has a reason nobody has read yet.
        if hold.holds() && (hold.paused_at, hold.tripped_at) != (plan.paused_at, plan.tripped_at) {
            return Err(Refused::NotNow(format!("what holds {} has changed since this plan was made", plan.consumer)));
        }
        if !control::resume(&plan.consumer, tx).await? {
            return Err(nothing(&plan.consumer));
        }
        let ended = [("pause", hold.paused_at), ("breaker", hold.tripped_at)];
        Ok(Outcome { ended: ended.into_iter().filter(|(_, at)| at.is_some()).map(|(what, _)| what).collect() })
    }
}

fn nothing(consumer: &str) -> Refused {
    Refused::NotNow(format!("nothing holds {consumer}: it is neither paused nor stopped by the breaker"))
}
