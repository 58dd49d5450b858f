//! A question operators may ask: written once; its REST route, its CLI verb and its schema follow.

use std::future::Future;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgPool;

use super::access::Role;
use crate::supervision::{History, Node};

/// What questions may look at.
#[derive(Clone, Debug)]
pub struct Context {
    /// What this process remembers of its actors.
    pub history: History,
    /// This process.
    pub node: Node,
    /// Silence after which nobody knows what a process does.
    pub silent_after: Duration,
    /// Everything durable.
    pub db: PgPool,
}

/// Why a question has no answer now.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// Postgres did not answer.
    #[error("Postgres did not answer")]
    Postgres(#[from] sqlx::Error),
}

/// One question.
pub trait Question: 'static {
    /// Its name: `ordo <name>` and `GET /ops/v1/<name>`, where a last word `list` is left out of the path.
    const NAME: &'static str;
    /// One line for `--help` and the API document.
    const ABOUT: &'static str;
    /// Who may ask it.
    const ROLE: Role = Role::Viewer;
    /// What narrows it: query parameters and flags alike.
    type Args: DeserializeOwned + Serialize + JsonSchema + clap::Args + Send + 'static;
    /// What comes back.
    type Answer: Serialize + JsonSchema + Send + 'static;

    /// Looks, and changes nothing.
    fn ask(args: Self::Args, context: &Context) -> impl Future<Output = Result<Self::Answer, Unanswered>> + Send;
}
