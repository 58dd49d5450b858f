//! `dlq show`: all of one dead letter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ops::mask::Mask;
use crate::ops::{Context, Question, Unanswered};
use crate::subscription::letters::{self, Detail, Follower};

/// Which letter.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its id, from `dlq list`.
    #[arg(value_name = "LETTER_ID")]
    pub letter_id: Uuid,
    /// Shows who the customer is: the id of what `personal reveal letter:<id>` did.
    #[arg(long, value_name = "OPERATION_ID")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revealed: Option<Uuid>,
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

    async fn ask(Args { letter_id, revealed }: Args, context: &Context) -> Result<Answer, Unanswered> {
        let mask = Mask::revealed(&format!("letter:{letter_id}"), revealed, context).await?;
        match letters::detail(letter_id, &context.db).await? {
            Some((letter, followers)) => Ok(Answer { letter: masked(letter, mask), followers }),
            None => Err(Unanswered::NotFound(format!(
                "there is no letter {letter_id}; `ordo dlq list --state all` shows those there are"
            ))),
        }
    }
}

fn masked(letter: Detail, mask: Mask) -> Detail {
    Detail {
        payload: letter.payload.map(|payload| mask.content(payload)),
        patch: letter.patch.map(|patch| mask.patch(patch)),
        ..letter
    }
}
