//! `dlq discard`: gives dead letters up for good, and lets what waits behind them go on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ops::action::{Action, By, Refused};
use crate::ops::letters::{Cause, Filters, causes};
use crate::subscription::release;
use crate::subscription::selection::{self, Wanted};

/// Which letters.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Their ids, from `dlq list`; or narrow them with filters.
    #[arg(value_name = "LETTER_ID")]
    #[serde(default)]
    pub letter_ids: Vec<Uuid>,
    /// Or those that fit.
    #[command(flatten)]
    #[serde(flatten)]
    pub filters: Filters,
}

/// The letters that will be given up.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What they are.
    pub causes: Vec<Cause>,
    /// Which.
    pub letter_ids: Vec<Uuid>,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// Letters given up.
    pub discarded: usize,
    /// Streams that go on with what waited behind them.
    pub streams: u64,
    /// The events that waited.
    pub followers: u64,
}

/// The action itself.
#[derive(Debug)]
pub struct DiscardDeadLetters;

impl Action for DiscardDeadLetters {
    const NAME: &'static str = "dlq discard";
    const ABOUT: &'static str = "Give dead letters up for good, and let what waits behind them go on";
    const EXAMPLE: &'static str = "ordo dlq discard 01993b5e-… --reason 'a test order, cancelled by hand'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    fn touches(plan: &Plan) -> usize {
        plan.letter_ids.len()
    }

    async fn plan(args: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let wanted = Wanted { letters: args.letter_ids, filter: args.filters.filter(None) };
        let chosen = selection::choose(&wanted, tx).await?;
        let letter_ids = chosen.iter().map(|letter| letter.letter_id).collect();
        Ok(Plan { causes: causes(&chosen), letter_ids })
    }

    async fn execute(plan: Plan, by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let released = release::discard(&plan.letter_ids, by.word(), tx).await?;
        Ok(Outcome { discarded: plan.letter_ids.len(), streams: released.streams, followers: released.followers })
    }
}
