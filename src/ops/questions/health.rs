//! `health`: what each dependency of this process says: the findings of `/readyz`, as operators are told them.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ops::{Context, Finding, Question, Status, Unanswered};

/// Dependencies are asked that often, however many look.
const AGE: Duration = Duration::from_secs(5);

/// Nothing narrows it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {}

/// How the dependencies are.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// The worst of the findings.
    pub status: Status,
    /// One a dependency, five seconds old at most.
    pub findings: Vec<Finding>,
}

/// The question itself.
#[derive(Debug)]
pub struct Health;

impl Question for Health {
    const NAME: &'static str = "health";
    const ABOUT: &'static str = "How the dependencies of a running process are; `ordo doctor` asks them from here";
    const COLUMNS: &'static [&'static str] = &["/name", "/status", "/observed", "/expected", "/next"];
    type Args = Args;
    type Answer = Answer;

    async fn ask(_args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let findings = context.probe.ask_within(AGE).await;
        Ok(Answer { status: Finding::worst(&findings), findings })
    }
}
