//! `projections pace`: a rebuild goes faster or slower from its next pieces on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::rebuild_projection::check;
use crate::ops::action::{Action, By, Refused};
use crate::read_model::rebuild::control;
use crate::subscription::models::ModelVersion;

/// Which rebuild, and how fast.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Name of the read model, from `projections list`.
    pub projection: String,
    /// Pieces of the log folded side by side: 1 to 64.
    #[arg(long)]
    #[serde(default)]
    pub workers: Option<i32>,
    /// Most events a second; 0 for as many as can be.
    #[arg(long)]
    #[serde(default)]
    pub rate: Option<i32>,
}

/// The rebuild concerned.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Name of the read model.
    pub projection: String,
    /// The version that is made.
    pub version: String,
    /// Pieces of the log folded side by side, if that changes.
    pub workers: Option<i32>,
    /// Most events a second, if that changes.
    pub rate: Option<i32>,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// In words.
    pub said: String,
}

/// The action itself.
#[derive(Debug)]
pub struct PaceProjection;

impl Action for PaceProjection {
    const NAME: &'static str = "projections pace";
    const ABOUT: &'static str = "Let a rebuild go faster or slower while it runs";
    const EXAMPLE: &'static str = "ordo projections pace order_view --rate 5000 --reason 'the evening rush'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(args: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let Args { projection, workers, rate } = args;
        check(workers, rate)?;
        if workers.is_none() && rate.is_none() {
            return Err(Refused::Invalid("give --workers or --rate".to_owned()));
        }
        let version = control::under_way(&projection, tx).await?.to_string();
        Ok(Plan { projection, version, workers, rate })
    }

    async fn execute(plan: Plan, _by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let Plan { projection, version, workers, rate } = plan;
        let version: ModelVersion = version.parse().map_err(Refused::Invalid)?;
        control::pace(&projection, version, (workers, rate), tx).await?;
        Ok(Outcome { said: format!("the rebuild of {projection} goes at its new pace from its next pieces on") })
    }
}
