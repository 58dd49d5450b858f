//! `alarms acknowledge`: takes note of alarms, so that they are listed no longer. One that is raised anew is listed anew.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ops::action::{Action, By, Refused};
use crate::supervision::alarm;

/// Most alarms at once.
const MOST: usize = 1_000;

/// Which alarms.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Their ids, from `alarms list`.
    #[arg(required = true, value_name = "ALARM_ID")]
    pub alarm_ids: Vec<Uuid>,
}

/// One alarm of the plan.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Chosen {
    /// Its id.
    pub alarm_id: Uuid,
    /// What kind.
    pub code: String,
    /// Where.
    pub place: String,
}

/// The alarms nobody has acknowledged yet.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Those.
    pub alarms: Vec<Chosen>,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// How many alarms are listed no longer.
    pub acknowledged: u64,
}

/// The action itself.
#[derive(Debug)]
pub struct AcknowledgeAlarms;

impl Action for AcknowledgeAlarms {
    const NAME: &'static str = "alarms acknowledge";
    const ABOUT: &'static str = "Take note of alarms, so that they are listed no longer";
    const EXAMPLE: &'static str = "ordo alarms acknowledge 01993b5e-… --reason 'topic made again, log verified'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    fn touches(plan: &Plan) -> usize {
        plan.alarms.len()
    }

    async fn plan(Args { alarm_ids }: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        if alarm_ids.is_empty() || alarm_ids.len() > MOST {
            return Err(Refused::Invalid(format!("name 1 to {MOST} alarms; `ordo alarms list` shows their ids")));
        }
        let open = alarm::find_open(&alarm_ids, tx).await?;
        if let Some(missing) = alarm_ids.iter().find(|id| !open.iter().any(|(open, ..)| open == *id)) {
            return Err(Refused::NotFound(format!(
                "there is no alarm {missing} to acknowledge: it does not exist, or somebody has acknowledged it"
            )));
        }
        let alarms = open.into_iter().map(|(alarm_id, code, place)| Chosen { alarm_id, code, place }).collect();
        Ok(Plan { alarms })
    }

    async fn execute(plan: Plan, by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let ids: Vec<Uuid> = plan.alarms.iter().map(|alarm| alarm.alarm_id).collect();
        Ok(Outcome { acknowledged: alarm::acknowledge(&ids, by.caller, by.reason, tx).await? })
    }
}
