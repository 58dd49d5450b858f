//! `projections promote`: queries and decisions read the rebuilt version from now on.

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
    /// Although rows differ from the active version.
    #[arg(long)]
    #[serde(default)]
    pub accept_differences: bool,
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
    /// Rows that were compared.
    pub rows_compared: i64,
    /// Rows that differed.
    pub rows_different: i64,
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
pub struct PromoteProjection;

impl Action for PromoteProjection {
    const NAME: &'static str = "projections promote";
    const ABOUT: &'static str = "Let queries and decisions read the rebuilt version";
    const EXAMPLE: &'static str = "ordo projections promote order_view --reason 'verified equal'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(args: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let Args { projection, accept_differences } = args;
        let Switch { from, to, different, compared } = promote::promotion(&projection, tx).await?;
        if different > 0 && !accept_differences {
            return Err(Refused::NotNow(format!(
                "{different} of {compared} rows of version {to} differ from version {from}: look at them with `ordo \
                 projections diff {projection}`, and say --accept-differences if that is what you want"
            )));
        }
        Ok(Plan {
            projection,
            from: from.to_string(),
            to: to.to_string(),
            rows_compared: compared,
            rows_different: different,
        })
    }

    async fn execute(plan: Plan, _by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let (from, to) = (plan.from.parse(), plan.to.parse());
        let (from, to) = (from.map_err(Refused::Invalid)?, to.map_err(Refused::Invalid)?);
        let name = plan.projection;
        promote::switch(&name, Switch { from, to, different: 0, compared: 0 }, tx).await?;
        let said = format!(
            "queries and decisions read version {to} of {name}. Version {from} is written on for a while: `ordo projections \
             rollback {name}` makes it active again."
        );
        Ok(Outcome { active: to.to_string(), said })
    }
}
