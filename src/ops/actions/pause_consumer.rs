//! `consumers pause`: a consumer stands still until somebody resumes it, whatever restarts meanwhile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::ops::action::{Action, By, Refused};
use crate::ops::consumer::named;
use crate::subscription::control::{self, Hold, StopsWith};

/// Which consumer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its name, from `consumers list`.
    pub consumer: String,
}

/// The consumer to be paused.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Its name.
    pub consumer: String,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// What stands still with it.
    pub stops_with: StopsWith,
    /// The same in words, and what goes on.
    pub said: String,
}

/// The action itself.
#[derive(Debug)]
pub struct PauseConsumer;

impl Action for PauseConsumer {
    const NAME: &'static str = "consumers pause";
    const ABOUT: &'static str = "Let a consumer stand still, its retries and replays too, until it is resumed";
    const EXAMPLE: &'static str = "ordo consumers pause inventory --reason 'stocktaking until noon'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(Args { consumer }: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        named(&consumer, tx).await?;
        let hold = control::held(&consumer, tx).await?;
        if hold.paused_at.is_some() {
            return Err(already(&consumer, &hold));
        }
        Ok(Plan { consumer })
    }

    async fn execute(Plan { consumer }: Plan, by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        if control::pause(&consumer, by.caller, by.reason, tx).await?.is_none() {
            return Err(already(&consumer, &control::held(&consumer, tx).await?));
        }
        let stops_with = control::stops_with(&consumer, tx).await?;
        Ok(Outcome { stops_with, said: said(&consumer, stops_with) })
    }
}

/// The first reason stays: who resumes asks whoever gave it.
fn already(consumer: &str, hold: &Hold) -> Refused {
    let by = hold.paused_by.as_deref().unwrap_or("somebody");
    let why = hold.paused_why.as_deref().unwrap_or("no reason");
    Refused::NotNow(format!("{consumer} is paused already, by {by}: {why}"))
}

fn said(consumer: &str, StopsWith { parked_streams, replays }: StopsWith) -> String {
    format!(
        "{consumer} applies nothing from its next transaction on, in every process and after every restart. With it stop \
         the tries of its parked streams ({parked_streams} wait for one) and its replays ({replays} on their way). What \
         is published meanwhile waits in the topic; everybody else goes on. `ordo consumers resume {consumer}` ends it."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_tells_what_stops_with_it_and_how_it_ends() {
        let said = said("inventory", StopsWith { parked_streams: 3, replays: 1 });
        for part in ["3 wait", "1 on their way", "ordo consumers resume inventory"] {
            assert!(said.contains(part), "{said}");
        }
    }
}
