//! `dlq stop`: ends a replay; letters that have not gone stay open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ops::action::{Action, By, Refused};
use crate::subscription::replay;

/// Which replay.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its id, from `dlq replays`.
    #[arg(value_name = "REPLAY_ID")]
    pub replay_id: Uuid,
}

/// The replay.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Which.
    pub replay_id: Uuid,
    /// Whose letters.
    pub consumer: String,
    /// How many there are.
    pub total: i32,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// Letters that had gone.
    pub done: i32,
    /// Letters that stay as they are.
    pub left: i32,
}

/// The action itself.
#[derive(Debug)]
pub struct StopReplay;

impl Action for StopReplay {
    const NAME: &'static str = "dlq stop";
    const ABOUT: &'static str = "Stop a replay; letters that have not gone stay open";
    const EXAMPLE: &'static str = "ordo dlq stop 01993b5e-… --reason 'the fix was not deployed'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(Args { replay_id }: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let running = replay::running(replay_id, tx).await?;
        Ok(Plan { replay_id, consumer: running.consumer, total: running.total })
    }

    async fn execute(plan: Plan, by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let stopped = replay::stop(plan.replay_id, by.word(), tx).await?;
        Ok(Outcome { done: stopped.done, left: stopped.total - stopped.done })
    }
}
