//! `dlq show`: all of one dead letter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ops::{Context, Question, Unanswered};
use crate::subscription::letters::{self, Detail, Follower};

/// Which letter.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its id, from `dlq list`.
    #[arg(value_name = "LETTER_ID")]
    pub letter_id: Uuid,
}

/// One dead letter.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The letter.
    #[serde(flatten)]
    pub letter: Detail,
    /// Events of its stream that wait behind it, in order, 100 at most.
    pub followers: Vec<Follower>,
}

/// The question itself.
#[derive(Debug)]
pub struct ShowDeadLetter;

impl Question for ShowDeadLetter {
    const NAME: &'static str = "dlq show";
    const ABOUT: &'static str = "All of one dead letter: event, error, history, and what waits behind it";
    type Args = Args;
    type Answer = Answer;

    async fn ask(Args { letter_id }: Args, context: &Context) -> Result<Answer, Unanswered> {
        match letters::detail(letter_id, &context.db).await? {
            Some((letter, followers)) => Ok(Answer { letter, followers }),
            None => Err(Unanswered::NotFound(format!(
                "there is no letter {letter_id}; `ordo dlq list --state all` shows those there are"
            ))),
        }
    }
}
