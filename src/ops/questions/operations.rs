//! `operations`: what operators did, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ops::audit::{self, Operation};
use crate::ops::{Context, Question, Unanswered};

/// Narrows the answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {
    /// Only this action, such as `alarms acknowledge`.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// How many, the newest first: 1 to 1,000.
    #[arg(long, default_value_t = Args::default().limit)]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: u32,
}

impl Default for Args {
    fn default() -> Self {
        Self { action: None, limit: 50 }
    }
}

/// What operators did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// Newest first.
    pub operations: Vec<Operation>,
}

/// The question itself.
#[derive(Debug)]
pub struct Operations;

impl Question for Operations {
    const NAME: &'static str = "operations";
    const COLUMNS: &'static [&'static str] = &["/operationId", "/at", "/caller", "/action", "/reason", "/node"];
    const ABOUT: &'static str = "What operators did, when and why";
    type Args = Args;
    type Answer = Answer;

    async fn ask(args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let operations = audit::recent(args.action.as_deref(), args.limit.clamp(1, 1_000), &context.db).await?;
        Ok(Answer { operations })
    }
}
