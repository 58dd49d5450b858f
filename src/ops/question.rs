//! A question operators may ask: written once; its REST route, its CLI verb and its schema follow.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use tokio::sync::Mutex;

use super::access::{Caller, Role};
use super::finding::Finding;
use super::route;
use crate::read_model::Model;
use crate::subscription::Subscription;
use crate::subscription::overview::Followed;
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
    /// Every consumer there is, whether it ever ran or not.
    pub consumers: Vec<Followed>,
    /// Every consumer of this build, whatever this process runs: letters are tried with their handlers.
    pub handlers: Arc<[Subscription]>,
    /// Every read model of this build.
    pub models: Arc<[Model]>,
    /// Whether events can be made to fail on purpose.
    pub has_fault_panel: bool,
    /// How the dependencies are.
    pub probe: Probe,
    /// Who asks; nobody but the process itself, unless a request said otherwise.
    pub caller: Caller,
    /// Everything durable.
    pub db: PgPool,
}

impl Context {
    /// The same, for whoever asks now.
    #[must_use]
    pub fn asked_by(&self, caller: Caller) -> Self {
        Self { caller, ..self.clone() }
    }
}

/// What was found, and when.
type Found = (Instant, Vec<Finding>);

/// Asks every dependency how it is.
#[derive(Clone)]
pub struct Probe {
    ask: Arc<dyn Fn() -> BoxFuture<'static, Vec<Finding>> + Send + Sync>,
    last: Arc<Mutex<Option<Found>>>,
}

impl Probe {
    /// One that asks so.
    pub fn new(ask: impl Fn() -> BoxFuture<'static, Vec<Finding>> + Send + Sync + 'static) -> Self {
        Self { ask: Arc::new(ask), last: Arc::default() }
    }

    /// What each says now.
    pub async fn ask(&self) -> Vec<Finding> {
        (self.ask)().await
    }

    /// What each said within `age`; asked now if that is longer ago. One asks for all.
    pub async fn ask_within(&self, age: Duration) -> Vec<Finding> {
        let mut last = self.last.lock().await;
        if let Some((at, findings)) = &*last
            && at.elapsed() < age
        {
            return findings.clone();
        }
        let findings = self.ask().await;
        *last = Some((Instant::now(), findings.clone()));
        findings
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// Why a question has no answer now.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// What it is about does not exist.
    #[error("{0}")]
    NotFound(String),
    /// It cannot be asked of that.
    #[error("{0}")]
    Invalid(String),
    /// Postgres did not answer.
    #[error("Postgres did not answer")]
    Postgres(#[from] sqlx::Error),
}

/// One question.
pub trait Question: 'static {
    /// Its name: `ordo <name>` and `GET /ops/v1/<name>`, where a last word `list` is left out of the path; see `PATH`.
    const NAME: &'static str;
    /// One line for `--help` and the API document.
    const ABOUT: &'static str;
    /// A call to learn from; the name alone if there is none.
    const EXAMPLE: Option<&'static str> = None;
    /// Its path below `/ops/v1/`, where that is not its name: words in braces are arguments, as in `orders/{orderId}/why`.
    const PATH: Option<&'static str> = None;
    /// The field of the answer that says it in words: all that people are shown who did not ask for JSON.
    const SAYS: Option<&'static str> = None;
    /// What people are shown of each row of its lists, as JSON pointers in the order of the columns; everything if empty.
    const COLUMNS: &'static [&'static str] = &[];
    /// Who may ask it.
    const ROLE: Role = Role::Viewer;
    /// The field of the answer that is a page of things to keep, if it is made for that: the command line prints one JSON
    /// line a thing, and asks on with `after` from the answer's `next` until there is none.
    const PAGES: Option<&'static str> = None;
    /// What narrows it: query parameters and flags alike.
    type Args: DeserializeOwned + Serialize + JsonSchema + clap::Args + Send + 'static;
    /// What comes back.
    type Answer: Serialize + JsonSchema + Send + 'static;

    /// Where it is asked, with placeholders if it has any.
    #[must_use]
    fn route() -> String {
        Self::PATH.map_or_else(|| route::route_of(Self::NAME), route::under)
    }

    /// Looks, and changes nothing.
    fn ask(args: Self::Args, context: &Context) -> impl Future<Output = Result<Self::Answer, Unanswered>> + Send;
}
