//! `projections cancel`: a version that is made, or waits to be promoted, is given up.

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
pub struct CancelProjection;

impl Action for CancelProjection {
    const NAME: &'static str = "projections cancel";
    const ABOUT: &'static str = "Give up a version that is being made or waits to be promoted";
    const EXAMPLE: &'static str = "ordo projections cancel order_view --reason 'not needed any more'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(Args { projection }: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let version = control::given_up(&projection, tx).await?.to_string();
        Ok(Plan { projection, version })
    }

    async fn execute(plan: Plan, by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let Plan { projection, version } = plan;
        let version: ModelVersion = version.parse().map_err(Refused::Invalid)?;
        if !control::cancel(&projection, version, by.word(), tx).await? {
            return Err(Refused::NotNow(format!(
                "version {version} of {projection} is active or gone: nothing was done"
            )));
        }
        Ok(Outcome {
            said: format!(
                "version {version} of {projection} is given up; its table goes within seconds, nothing else changes"
            ),
        })
    }
}
