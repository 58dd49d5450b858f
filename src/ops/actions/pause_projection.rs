//! `projections pause`: a rebuild stands still until somebody resumes it, whatever restarts meanwhile.

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
pub struct PauseProjection;

impl Action for PauseProjection {
    const NAME: &'static str = "projections pause";
    const ABOUT: &'static str = "Let a rebuild stand still until it is resumed";
    const EXAMPLE: &'static str = "ordo projections pause order_view --reason 'the evening rush'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(Args { projection }: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let version = control::under_way(&projection, tx).await?.to_string();
        Ok(Plan { projection, version })
    }

    async fn execute(plan: Plan, by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let Plan { projection, version } = plan;
        let version: ModelVersion = version.parse().map_err(Refused::Invalid)?;
        if !control::pause(&projection, version, by.word(), tx).await? {
            return Err(Refused::NotNow(format!("the rebuild of {projection} is paused already, or has ended")));
        }
        Ok(Outcome {
            said: format!(
                "the rebuild of {projection} stands still after the pieces at hand; `ordo projections resume {projection}` ends it"
            ),
        })
    }
}
