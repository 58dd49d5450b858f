//! `alarms list`: what is wrong, in every process, until somebody acknowledges it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ops::{Context, Question, Unanswered};
use crate::supervision::alarm::{self, StoredAlarm};

/// Narrows the answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {
    /// Those, too, that somebody has acknowledged.
    #[arg(long)]
    pub all: bool,
    /// How many, the newest first: 1 to 1,000.
    #[arg(long, default_value_t = Args::default().limit)]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: u32,
}

impl Default for Args {
    fn default() -> Self {
        Self { all: false, limit: 100 }
    }
}

/// The alarms of every process.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// Newest first.
    pub alarms: Vec<StoredAlarm>,
}

/// The question itself.
#[derive(Debug)]
pub struct Alarms;

impl Question for Alarms {
    const NAME: &'static str = "alarms list";
    const ABOUT: &'static str = "What is wrong, in every process, until somebody acknowledges it";
    type Args = Args;
    type Answer = Answer;

    async fn ask(args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let silent_after = context.silent_after.as_secs_f64();
        Ok(Answer { alarms: alarm::list(args.all, args.limit.clamp(1, 1_000), silent_after, &context.db).await? })
    }
}
