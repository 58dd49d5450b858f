//! `projections list`: every version of every read model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ops::read_model::{State, Version};
use crate::ops::{Context, Question, Unanswered};
use crate::read_model::rebuild::control;

/// Whether versions whose table is gone are shown, too.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {
    /// Also versions whose table is gone.
    #[arg(long)]
    pub all: bool,
}

/// Every read model.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// By name, the active version first.
    pub projections: Vec<Version>,
}

/// The question itself.
#[derive(Debug)]
pub struct Projections;

impl Question for Projections {
    const NAME: &'static str = "projections list";
    const ABOUT: &'static str = "Every version of every read model, and how its rebuild goes";
    const COLUMNS: &'static [&'static str] = &[
        "/projection",
        "/version",
        "/state",
        "/phase",
        "/percent",
        "/eventsPerSecond",
        "/etaSeconds",
        "/atEvent",
        "/rowsDifferent",
        "/why",
    ];
    type Args = Args;
    type Answer = Answer;

    async fn ask(Args { all }: Args, context: &Context) -> Result<Answer, Unanswered> {
        let seen = control::seen(None, &context.db).await?;
        let versions = seen.iter().map(Version::of).filter(|version| all || version.state != State::Retired);
        Ok(Answer { projections: versions.collect() })
    }
}
