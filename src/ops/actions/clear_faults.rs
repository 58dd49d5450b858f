//! `faults clear`: takes rules of the fault panel away. Every process forgets them within half a second; what has failed by
//! then stays as it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ops::access::Role;
use crate::ops::action::{Action, By, Refused};
use crate::subscription::fault;

/// Which rules.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Their ids, from `faults list`; every rule if none is named.
    #[arg(value_name = "RULE_ID")]
    #[serde(default)]
    pub rule_ids: Vec<Uuid>,
}

/// The rules that there are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Those.
    pub rule_ids: Vec<Uuid>,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// How many rules are gone.
    pub cleared: u64,
}

/// The action itself.
#[derive(Debug)]
pub struct ClearFaults;

impl Action for ClearFaults {
    const NAME: &'static str = "faults clear";
    const ABOUT: &'static str = "Let events fail on purpose no longer, from half a second later on";
    const EXAMPLE: &'static str = "ordo faults clear --reason 'shown'";
    const ROLE: Role = Role::Admin;
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(Args { rule_ids }: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let known = fault::lock(&rule_ids, tx).await?;
        match rule_ids.iter().find(|id| !known.contains(id)) {
            Some(missing) => {
                Err(Refused::NotFound(format!("there is no rule {missing}; `ordo faults list` shows those there are")))
            }
            None => Ok(Plan { rule_ids: known }),
        }
    }

    async fn execute(plan: Plan, _by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        Ok(Outcome { cleared: fault::clear(&plan.rule_ids, tx).await? })
    }
}
