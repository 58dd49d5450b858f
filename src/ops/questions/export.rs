//! `dlq export`: whole dead letters, to be kept or looked through elsewhere.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ops::access::Role;
use crate::ops::letters::{Filters, Standing};
use crate::ops::{Context, Question, Unanswered};
use crate::subscription::letters::{self, Detail};

/// Which letters.
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
    /// Begin after this letter: `next` of the page before.
    #[arg(long, value_name = "LETTER_ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Uuid>,
    /// How many a page: 1 to 1,000; a page has about 8 MiB at most.
    #[arg(long, default_value_t = Args::default().limit)]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: u32,
}

impl Default for Args {
    fn default() -> Self {
        Self { filters: Filters::default(), state: Standing::Open, after: None, limit: 200 }
    }
}

/// A page of whole letters.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// In the order they were written; key, payload and headers as they came.
    pub letters: Vec<Detail>,
    /// Ask on with `after` set to this; none behind the last page.
    pub next: Option<Uuid>,
}

/// The question itself.
#[derive(Debug)]
pub struct ExportDeadLetters;

impl Question for ExportDeadLetters {
    const NAME: &'static str = "dlq export";
    const ABOUT: &'static str = "Whole dead letters, one JSON line each";
    // Every byte as it came, customers too.
    const ROLE: Role = Role::Admin;
    const PAGES: Option<&'static str> = Some("letters");
    type Args = Args;
    type Answer = Answer;

    async fn ask(args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let filter = args.filters.filter(args.state.state());
        let letters = letters::export(&filter, args.after, args.limit.clamp(1, 1_000), &context.db).await?;
        Ok(Answer { next: letters.last().map(|letter| letter.letter_id), letters })
    }
}
