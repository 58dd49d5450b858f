//! `projections rebuild`: makes a read model anew from the log, beside the one in use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::ops::action::{Action, By, Refused};
use crate::read_model::rebuild::control::{self, WORKERS};
use crate::subscription::models::ModelVersion;

/// Which read model, and how fast.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its name, from `projections list`.
    pub projection: String,
    /// Pieces of the log folded side by side: 1 to 64.
    #[arg(long, default_value_t = 2)]
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 64))]
    pub workers: i32,
    /// Most events a second; 0 for as many as can be.
    #[arg(long, default_value_t = 20_000)]
    #[serde(default = "default_rate")]
    #[schemars(range(min = 0))]
    pub rate: i32,
}

fn two() -> i32 {
    2
}

fn default_rate() -> i32 {
    20_000
}

/// What will be made.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Its name.
    pub projection: String,
    /// The version that will be made.
    pub version: String,
    /// Pieces of the log folded side by side.
    pub workers: i32,
    /// Most events a second; 0 for as many as can be.
    pub rate: i32,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// The version that is made.
    pub version: String,
    /// What happens now, and what to do next.
    pub said: String,
}

/// The action itself.
#[derive(Debug)]
pub struct RebuildProjection;

impl Action for RebuildProjection {
    const NAME: &'static str = "projections rebuild";
    const ABOUT: &'static str = "Make a read model anew from the log, beside the one in use";
    const EXAMPLE: &'static str = "ordo projections rebuild order_view --reason 'a new index'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(args: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let Args { projection, workers, rate } = args;
        check(Some(workers), Some(rate))?;
        let version = control::next_version(&projection, tx).await?.to_string();
        Ok(Plan { projection, version, workers, rate })
    }

    async fn execute(plan: Plan, by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let Plan { projection, version, workers, rate } = plan;
        let planned: ModelVersion = version.parse().map_err(Refused::Invalid)?;
        let next = control::next_version(&projection, tx).await?;
        if next != planned {
            return Err(Refused::NotNow(format!("version {planned} of {projection} was made meanwhile; plan it anew")));
        }
        control::start(&projection, next, (workers, rate), by.word(), tx).await?;
        let said = format!(
            "version {version} of {projection} is made while the active one is read and written. `ordo projections wait \
             {projection}` shows how it goes; it is compared with the active one, and then waits for `ordo projections \
             promote {projection}`."
        );
        Ok(Outcome { version, said })
    }
}

/// Workers and rate within their ranges.
///
/// # Errors
/// [`Refused::Invalid`].
pub(super) fn check(workers: Option<i32>, rate: Option<i32>) -> Result<(), Refused> {
    if workers.is_some_and(|workers| !WORKERS.contains(&workers)) {
        return Err(Refused::Invalid("workers are 1 to 64".to_owned()));
    }
    if rate.is_some_and(|rate| rate < 0) {
        return Err(Refused::Invalid("the rate is 0, for as many events as can be, or more".to_owned()));
    }
    Ok(())
}
