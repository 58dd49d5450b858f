//! `dlq try`: what would come of a dead letter if it were replayed now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ops::access::Role;
use crate::ops::{Context, Question, Unanswered};
use crate::subscription::again::{self, NotTried, Tried};
use crate::subscription::letters;

/// Which letter, and how changed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its id, from `dlq list`.
    #[arg(value_name = "LETTER_ID")]
    pub letter_id: Uuid,
    /// A JSON patch (RFC 6902) of its payload, tried and forgotten.
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
}

/// The question itself. It changes nothing, but it runs the handler, so it is not for viewers.
#[derive(Debug)]
pub struct TryDeadLetter;

impl Question for TryDeadLetter {
    const NAME: &'static str = "dlq try";
    const ABOUT: &'static str = "Run the handler of this build on a dead letter, undo it, and say what it would do";
    const ROLE: Role = Role::Operator;
    type Args = Args;
    type Answer = Tried;

    async fn ask(Args { letter_id, patch }: Args, context: &Context) -> Result<Tried, Unanswered> {
        let letter = letters::row(letter_id, &context.db).await?;
        let missing = || Unanswered::NotFound(NotTried::Missing(letter_id).to_string());
        let letter = letter.ok_or_else(missing)?;
        let consumer = context.handlers.iter().find(|consumer| consumer.name == letter.subscription);
        let consumer = consumer.ok_or_else(|| {
            Unanswered::Invalid(format!(
                "{} is no consumer of this build, so its handler is not here: ask a process that runs it",
                letter.subscription
            ))
        })?;
        again::attempt(consumer, &letter, patch.as_deref()).await.map_err(|error| match error {
            NotTried::Postgres(error) => error.into(),
            NotTried::Missing(_) => missing(),
            NotTried::Invalid(why) => Unanswered::Invalid(why),
        })
    }
}
