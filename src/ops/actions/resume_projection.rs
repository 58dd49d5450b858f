//! `projections resume`: a rebuild that was paused, or that has failed, goes on where it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::ops::action::{Action, By, Refused};
use crate::read_model::rebuild::control;
use crate::subscription::models::ModelVersion;

/// Which read model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its name, from `projections list`.
    pub projection: String,
}

/// The version concerned.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Name of the read model.
    pub projection: String,
    /// Which of its versions.
    pub version: String,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// In words, and what to do next.
    pub said: String,
}

/// The action itself.
#[derive(Debug)]
pub struct ResumeProjection;

impl Action for ResumeProjection {
    const NAME: &'static str = "projections resume";
    const ABOUT: &'static str = "Let a paused or failed rebuild go on where it is";
    const EXAMPLE: &'static str = "ordo projections resume order_view --reason 'the rush is over'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(Args { projection }: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let version = control::under_way(&projection, tx).await?.to_string();
        Ok(Plan { projection, version })
    }

    async fn execute(plan: Plan, _by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let Plan { projection, version } = plan;
        let version: ModelVersion = version.parse().map_err(Refused::Invalid)?;
        if !control::resume(&projection, version, tx).await? {
            return Err(Refused::NotNow(format!("the rebuild of {projection} is neither paused nor failed")));
        }
        Ok(Outcome { said: format!("the rebuild of {projection} goes on") })
    }
}
