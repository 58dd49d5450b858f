//! `nodes`: which processes there are, what they run, and which have gone silent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ops::{Context, Question, Unanswered};
use crate::supervision::node::{self, Seen};

/// Nothing narrows it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {}

/// Every process heard of within a day.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// Those alive first.
    pub nodes: Vec<Seen>,
}

/// The question itself.
#[derive(Debug)]
pub struct Nodes;

impl Question for Nodes {
    const NAME: &'static str = "nodes";
    const ABOUT: &'static str = "Which processes there are, what they run, and which have gone silent";
    type Args = Args;
    type Answer = Answer;

    async fn ask(_args: Args, context: &Context) -> Result<Answer, Unanswered> {
        Ok(Answer { nodes: node::list(context.silent_after, &context.db).await? })
    }
}
