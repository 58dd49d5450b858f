//! `dlq replay`: hands dead letters back to their own consumer, head of each stream first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ops::action::{Action, By, Refused};
use crate::ops::letters::{Cause, Filters, causes};
use crate::subscription::replay::{self, Request};
use crate::subscription::selection::Wanted;

/// Letters a second, unless said otherwise.
const PER_SECOND: f32 = 10.0;

/// Which letters, and how.
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
    /// What to change in each payload, as a JSON patch (RFC 6902); the payload that is kept stays as it came.
    #[arg(long, value_name = "JSON", value_parser = json)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Value>,
    /// Most letters a second: 0.1 to 1,000.
    #[arg(long, default_value_t = PER_SECOND)]
    #[serde(default = "per_second")]
    #[schemars(range(min = 0.1, max = 1_000.0))]
    pub per_second: f32,
}

fn per_second() -> f32 {
    PER_SECOND
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))
}

/// The letters that will go, and how.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The id the replay will have.
    pub replay_id: Uuid,
    /// Whose.
    pub consumer: String,
    /// What they are.
    pub causes: Vec<Cause>,
    /// Which, in the order they will go.
    pub letter_ids: Vec<Uuid>,
    /// What will be changed in each payload.
    pub patch: Option<String>,
    /// Most letters a second.
    pub per_second: f32,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The replay: `dlq replays` shows how far it is.
    pub replay_id: Uuid,
    /// Its letters.
    pub letters: usize,
    /// How long they take at that rate, in seconds.
    pub seconds: f32,
}

/// The action itself.
#[derive(Debug)]
pub struct ReplayDeadLetters;

impl Action for ReplayDeadLetters {
    const NAME: &'static str = "dlq replay";
    const ABOUT: &'static str = "Hand dead letters back to their own consumer, head of each stream first";
    const EXAMPLE: &'static str = "ordo dlq replay --consumer inventory --fingerprint 3f9c… --reason 'fixed in 1.4.2'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    fn touches(plan: &Plan) -> usize {
        plan.letter_ids.len()
    }

    async fn plan(args: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let wanted = Wanted { letters: args.letter_ids, filter: args.filters.filter(None) };
        let patch = args.patch.map(|patch| patch.to_string());
        let (request, chosen) = replay::plan(&wanted, patch, args.per_second, tx).await?;
        let Request { replay_id, consumer, letters, patch, per_second } = request;
        Ok(Plan { replay_id, consumer, causes: causes(&chosen), letter_ids: letters, patch, per_second })
    }

    async fn execute(plan: Plan, by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let Plan { replay_id, consumer, letter_ids: letters, patch, per_second, .. } = plan;
        let request = Request { replay_id, consumer, letters, patch, per_second };
        replay::request(&request, by.word(), tx).await?;
        let letters = request.letters.len();
        // A plan has 10,000 letters at most: few enough for any number to tell exactly.
        let seconds = f32::from(u16::try_from(letters).unwrap_or(u16::MAX)) / per_second;
        Ok(Outcome { replay_id, letters, seconds })
    }
}
