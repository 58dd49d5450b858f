//! `personal reveal`: says why somebody wants to see who a customer is. It shows nothing itself, so that nothing of it is
//! kept: the audit row it leaves is what questions ask for before they show more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ops::action::{Action, By, Refused};

/// Of what.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// `order:<id>` or `letter:<id>`.
    pub subject: String,
}

/// Of what.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// `order:<id>` or `letter:<id>`.
    pub subject: String,
}

/// What it allows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// How.
    pub said: String,
}

/// The action itself.
#[derive(Debug)]
pub struct RevealPersonal;

impl Action for RevealPersonal {
    const NAME: &'static str = "personal reveal";
    const ABOUT: &'static str = "Say why you must see who a customer is; then a question shows it for ten minutes";
    const EXAMPLE: &'static str =
        "ordo personal reveal letter:01993b5e-… --reason 'the customer asks why it takes so long'";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(Args { subject }: Args, _tx: &mut PgConnection) -> Result<Plan, Refused> {
        let is_known = subject
            .split_once(':')
            .is_some_and(|(kind, id)| matches!(kind, "order" | "letter") && id.parse::<Uuid>().is_ok());
        if !is_known {
            return Err(Refused::Invalid(format!("{subject:?} is neither order:<id> nor letter:<id>")));
        }
        Ok(Plan { subject })
    }

    async fn execute(Plan { subject }: Plan, _by: By<'_>, _tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let question = if subject.starts_with("order:") { "order trace" } else { "dlq show" };
        Ok(Outcome {
            said: format!(
                "`ordo {question}` shows {subject} unmasked to you for ten minutes, with `--revealed` and this id"
            ),
        })
    }
}
