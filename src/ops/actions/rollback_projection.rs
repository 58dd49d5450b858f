//! `projections rollback`: queries and decisions read the version from before again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::ops::action::{Action, By, Refused};
use crate::read_model::rebuild::promote::{self, Switch};

/// Which read model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its name, from `projections list`.
    pub projection: String,
}

/// The switch.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Name of the read model.
    pub projection: String,
    /// The version that is active.
    pub from: String,
    /// The version that will be.
    pub to: String,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// The version that is active now.
    pub active: String,
    /// In words, and how it is taken back.
    pub said: String,
}

/// The action itself.
#[derive(Debug)]
pub struct RollbackProjection;

impl Action for RollbackProjection {
    const NAME: &'static str = "projections rollback";
    const ABOUT: &'static str = "Let queries and decisions read the version from before again";
    const EXAMPLE: &'static str = "ordo projections rollback order_view --reason 'the totals look wrong'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(Args { projection }: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let Switch { from, to, .. } = promote::return_to_before(&projection, tx).await?;
        Ok(Plan { projection, from: from.to_string(), to: to.to_string() })
    }

    async fn execute(plan: Plan, _by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let (from, to) = (plan.from.parse(), plan.to.parse());
        let (from, to) = (from.map_err(Refused::Invalid)?, to.map_err(Refused::Invalid)?);
        let name = plan.projection;
        promote::switch(&name, Switch { from, to, different: 0, compared: 0 }, tx).await?;
        let said = format!(
            "queries and decisions read version {to} of {name} again. Version {from} is written on for a while."
        );
        Ok(Outcome { active: to.to_string(), said })
    }
}
