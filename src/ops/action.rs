//! Something operators may do: written once; its REST route, its CLI verb, role, dry run, audit and schema follow.
//!
//! An action changes rows and nothing else; the actor concerned, on whichever node, sees the row by bell or poll. So it
//! survives a crash, reaches every process, and is tested without actors.

use std::future::Future;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

use super::Context;
use super::access::Role;
use crate::read_model::Model;
use crate::subscription::Objection;
use crate::subscription::release::Word;

/// Why an action is not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// What it is about does not exist.
    #[error("{0}")]
    NotFound(String),
    /// Its state is against it.
    #[error("{0}")]
    NotNow(String),
    /// The arguments are against the rules.
    #[error("{0}")]
    Invalid(String),
    /// Postgres did not answer.
    #[error("Postgres did not answer")]
    Postgres(#[from] sqlx::Error),
}

impl From<Objection> for Refused {
    fn from(objection: Objection) -> Self {
        match objection {
            Objection::Missing(why) => Self::NotFound(why),
            Objection::NotNow(why) => Self::NotNow(why),
            Objection::Invalid(why) => Self::Invalid(why),
            Objection::Postgres(error) => Self::Postgres(error),
        }
    }
}

/// On whose behalf an action is done.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// The name of the token, or `local`.
    pub caller: &'a str,
    /// Why they want it.
    pub reason: &'a str,
    /// Every read model of this build.
    pub models: &'a [Model],
}

impl<'a> By<'a> {
    /// As letters and replays keep it.
    #[must_use]
    pub fn word(self) -> Word<'a> {
        Word { by: self.caller, why: self.reason }
    }
}

/// One action.
pub trait Action: 'static {
    /// Its name: `POST /ops/v1/alarms/acknowledge` and `ordo alarms acknowledge` for `alarms acknowledge`.
    const NAME: &'static str;
    /// One line for `--help` and the API document.
    const ABOUT: &'static str;
    /// A call to learn from.
    const EXAMPLE: &'static str;
    /// Who may do it.
    const ROLE: Role = Role::Operator;
    /// What it is to be done to: body and flags alike.
    type Args: DeserializeOwned + Serialize + JsonSchema + clap::Args + Send + Sync + 'static;
    /// What exactly it will touch: frozen before anything is done, and shown.
    type Plan: DeserializeOwned + Serialize + JsonSchema + Send + Sync + 'static;
    /// What it has done.
    type Outcome: Serialize + JsonSchema + Send + 'static;

    /// How many things of an operator's concern the plan touches: letters, alarms … Pages have a big number typed.
    #[must_use]
    fn touches(_plan: &Self::Plan) -> usize {
        1
    }

    /// Whether this process lets it be done at all.
    ///
    /// # Errors
    /// [`Refused`], with what has to change first.
    fn is_open(_context: &Context) -> Result<(), Refused> {
        Ok(())
    }

    /// Looks up what it will touch, and locks it.
    ///
    /// # Errors
    /// [`Refused`].
    fn plan(args: Self::Args, tx: &mut PgConnection) -> impl Future<Output = Result<Self::Plan, Refused>> + Send;

    /// Does what the plan froze, in the transaction of its audit row.
    ///
    /// # Errors
    /// [`Refused`]; nothing was done then.
    fn execute(
        plan: Self::Plan,
        by: By<'_>,
        tx: &mut PgConnection,
    ) -> impl Future<Output = Result<Self::Outcome, Refused>> + Send;
}
