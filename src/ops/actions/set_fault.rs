//! `faults set`: makes events of a consumer fail on purpose. For demonstrations and tests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::clock;
use crate::ops::Context;
use crate::ops::access::Role;
use crate::ops::action::{Action, By, Refused};
use crate::ops::consumer::named;
use crate::subscription::fault::{self, Kind, Wanted};

/// Which events, and how they fail.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Whose.
    pub consumer: String,
    /// How: poison, permanent, transient, panic, abort or slow.
    #[arg(long)]
    pub kind: Kind,
    /// Where in their payload: a JSON pointer such as `/userId`.
    #[arg(long)]
    pub pointer: String,
    /// The text that stands there; a number or a boolean as JSON writes it.
    #[arg(long)]
    pub equals: String,
    /// How often one event fails before it succeeds, counted in each process; for ever if left out.
    #[arg(long)]
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<i32>,
    /// How long one is slow, in milliseconds: 1 to 1,500.
    #[arg(long)]
    #[schemars(range(min = 1, max = 1_500))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub millis: Option<i32>,
}

/// The rule that will be set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The id it will have.
    pub rule_id: Uuid,
    /// Which events, and how they fail.
    pub rule: Args,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The rule, for `faults clear`.
    pub rule_id: Uuid,
}

/// The action itself.
#[derive(Debug)]
pub struct SetFault;

impl Action for SetFault {
    const NAME: &'static str = "faults set";
    const ABOUT: &'static str = "Make events of a consumer fail on purpose, where the fault panel is on";
    const EXAMPLE: &'static str =
        "ordo faults set inventory --kind poison --pointer /userId --equals mallory --reason 'show a dead letter'";
    const ROLE: Role = Role::Admin;
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    fn is_open(context: &Context) -> Result<(), Refused> {
        if context.has_fault_panel {
            return Ok(());
        }
        Err(Refused::NotNow(
            "the fault panel is off: set subscription.fault_panel = true (ORDO_SUBSCRIPTION__FAULT_PANEL=true) for every \
             process and start them again"
                .to_owned(),
        ))
    }

    async fn plan(rule: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        named(&rule.consumer, tx).await?;
        let rule_id = clock::new_id();
        wanted(rule_id, rule.clone()).check()?;
        Ok(Plan { rule_id, rule })
    }

    async fn execute(plan: Plan, by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let rule_id = plan.rule_id;
        fault::set(&wanted(rule_id, plan.rule), by.caller, tx).await?;
        Ok(Outcome { rule_id })
    }
}

fn wanted(rule_id: Uuid, Args { consumer, kind, pointer, equals, times, millis }: Args) -> Wanted {
    Wanted { rule_id, consumer, kind, pointer, equals, times, millis }
}
