//! `dlq replays`: how far dead letters are on their way back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ops::{Context, Question, Unanswered};
use crate::subscription::replay::{self, Progress};

/// Narrows the answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {
    /// Only this consumer's.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// How many, the newest first: 1 to 1,000.
    #[arg(long, default_value_t = Args::default().limit)]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: u32,
}

impl Default for Args {
    fn default() -> Self {
        Self { consumer: None, limit: 20 }
    }
}

/// Replays.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// Newest first.
    pub replays: Vec<Progress>,
}

/// The question itself.
#[derive(Debug)]
pub struct Replays;

impl Question for Replays {
    const NAME: &'static str = "dlq replays";
    const ABOUT: &'static str = "How far dead letters are on their way back to their consumers";
    type Args = Args;
    type Answer = Answer;

    async fn ask(args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let limit = args.limit.clamp(1, 1_000);
        Ok(Answer { replays: replay::list(args.consumer.as_deref(), limit, &context.db).await? })
    }
}
