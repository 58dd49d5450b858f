//! `faults list`: which events fail on purpose.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ops::{Context, Question, Unanswered};
use crate::subscription::fault::{self, Rule};

/// Nothing narrows it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {}

/// The fault panel.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Whether this process looks at the rules: `subscription.fault_panel`.
    pub is_on: bool,
    /// Oldest first.
    pub rules: Vec<Rule>,
}

/// The question itself.
#[derive(Debug)]
pub struct Faults;

impl Question for Faults {
    const NAME: &'static str = "faults list";
    const ABOUT: &'static str = "Which events fail on purpose, where the fault panel is on";
    const COLUMNS: &'static [&'static str] =
        &["/ruleId", "/consumer", "/kind", "/pointer", "/equals", "/times", "/millis"];
    type Args = Args;
    type Answer = Answer;

    async fn ask(_: Args, context: &Context) -> Result<Answer, Unanswered> {
        Ok(Answer { is_on: context.has_fault_panel, rules: fault::list(&context.db).await? })
    }
}
