//! `dlq list`: what consumers gave up on, by cause and one by one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ops::letters::{Filters, Standing};
use crate::ops::{Context, Question, Unanswered};
use crate::subscription::letters::{self, Group, Line};

/// Narrows the answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Which letters.
    #[command(flatten)]
    #[serde(flatten)]
    pub filters: Filters,
    /// Those that stand there.
    #[arg(long, value_enum, default_value_t = Standing::Open)]
    pub state: Standing,
    /// How many, the newest first: 1 to 1,000.
    #[arg(long, default_value_t = Args::default().limit)]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: u32,
}

impl Default for Args {
    fn default() -> Self {
        Self { filters: Filters::default(), state: Standing::Open, limit: 20 }
    }
}

/// Dead letters.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// By cause, the biggest group first, 100 at most; of all letters that fit.
    pub groups: Vec<Group>,
    /// One by one, the newest first.
    pub letters: Vec<Line>,
}

/// The question itself.
#[derive(Debug)]
pub struct DeadLetters;

impl Question for DeadLetters {
    const NAME: &'static str = "dlq list";
    const ABOUT: &'static str = "Events that consumers gave up on, by cause and one by one";
    type Args = Args;
    type Answer = Answer;

    async fn ask(args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let filter = args.filters.filter(args.state.state());
        let (groups, letters) = tokio::try_join!(
            letters::groups(&filter, &context.db),
            letters::list(&filter, args.limit.clamp(1, 1_000), &context.db)
        )?;
        Ok(Answer { groups, letters })
    }
}
