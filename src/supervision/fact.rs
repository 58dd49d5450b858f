//! What happened to which actor, why, and what it may still spend.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::restart::CauseClass;
use crate::clock;

/// Longest reason kept, in bytes.
const WHY_BYTES: usize = 2_000;

/// Where an actor stands in the tree: `ordo/log/writer-0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ActorPath(#[schemars(with = "String")] Arc<str>);

impl ActorPath {
    /// The top of a tree.
    #[must_use]
    pub fn root(name: &str) -> Self {
        Self(name.into())
    }

    /// One level below.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        Self(format!("{}/{name}", self.0).into())
    }

    /// In words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last part: what its supervisor calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for ActorPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It runs, for the first time.
    Started,
    /// It ended and that was meant.
    Stopped,
    /// It ended or did not start, and that was not meant.
    Crashed,
    /// It will be started again after a pause.
    BackingOff,
    /// It runs again.
    Restarted,
    /// As a supervisor it gave up on a child; its own supervisor decides.
    Escalated,
}

impl What {
    const ALL: [Self; 6] =
        [Self::Started, Self::Stopped, Self::Crashed, Self::BackingOff, Self::Restarted, Self::Escalated];

    /// Its name on the wire and in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Crashed => "crashed",
            Self::BackingOff => "backing_off",
            Self::Restarted => "restarted",
            Self::Escalated => "escalated",
        }
    }

    pub(super) fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.as_str() == name)
    }
}

/// One thing that happened to one actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// Its own id; given anew when it is recorded, so that ids are in that order.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// In which process; empty until it is recorded.
    #[schemars(with = "String")]
    pub node: Arc<str>,
    /// To which actor.
    pub path: ActorPath,
    /// Of which kind: `writer`, `relay`, `supervisor` …
    pub kind: Cow<'static, str>,
    /// What.
    pub what: What,
    /// Why, in words.
    pub why: String,
    /// Class of the crash this is about.
    pub cause: Option<CauseClass>,
    /// Pause before the next start, in milliseconds.
    #[serde(rename = "backoffMs", serialize_with = "as_millis")]
    #[schemars(with = "Option<u64>")]
    pub backoff: Option<Duration>,
    /// Restarts it may still spend.
    pub budget_left: Option<u32>,
}

impl Fact {
    /// Something that happens now.
    #[must_use]
    pub fn now(path: ActorPath, kind: &'static str, what: What, why: &str) -> Self {
        Self {
            id: clock::new_id(),
            at: clock::now(),
            node: Arc::from(""),
            path,
            kind: Cow::Borrowed(kind),
            what,
            why: storable(why),
            cause: None,
            backoff: None,
            budget_left: None,
        }
    }

    /// With the class of the crash it is about.
    #[must_use]
    pub fn cause(mut self, class: CauseClass) -> Self {
        self.cause = Some(class);
        self
    }

    /// With the pause before the next start.
    #[must_use]
    pub fn backoff(mut self, pause: Duration) -> Self {
        self.backoff = Some(pause);
        self
    }

    /// With the restarts left.
    #[must_use]
    pub fn budget_left(mut self, restarts: u32) -> Self {
        self.budget_left = Some(restarts);
        self
    }
}

/// A panic may say anything, and Postgres refuses a text with NUL: one such fact would block all behind it.
fn storable(why: &str) -> String {
    let mut why = why.replace('\0', "\u{fffd}");
    if why.len() > WHY_BYTES {
        why.truncate(why.floor_char_boundary(WHY_BYTES));
        why.push('…');
    }
    why
}

#[allow(clippy::ref_option, reason = "serde hands it over like this")]
fn as_millis<S: Serializer>(pause: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    pause.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
}

/// A crash with its class: what an actor returns as `Err` when its state can no longer be trusted.
#[derive(Debug)]
pub struct Crash {
    /// Chooses what the supervisor does.
    pub class: CauseClass,
    /// What went wrong.
    pub source: Box<dyn Error + Send + Sync>,
}

impl Crash {
    /// Given something it can never handle.
    pub fn poison(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { class: CauseClass::Poison, source: source.into() }
    }

    /// A server it needs does not answer.
    pub fn dependency_down(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { class: CauseClass::DependencyDown, source: source.into() }
    }

    /// Anything else.
    pub fn bug(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { class: CauseClass::Bug, source: source.into() }
    }

    /// The class and the words of an actor's error: a panic, or any error but a `Crash`, is a bug.
    #[must_use]
    pub fn read(error: &(dyn Error + Send + Sync + 'static)) -> (CauseClass, String) {
        let class = error.downcast_ref::<Self>().map_or(CauseClass::Bug, |crash| crash.class);
        (class, chain(error))
    }
}

/// An error and everything below it, in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        words.push_str(": ");
        words.push_str(&error.to_string());
        below = error.source();
    }
    words
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.class {
            CauseClass::Poison => "was given something it can never handle",
            CauseClass::DependencyDown => "a server it needs does not answer",
            CauseClass::Bug => "failed",
        })
    }
}

impl Error for Crash {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_says_its_class_and_anything_else_is_a_bug() {
        let boxed: Box<dyn Error + Send + Sync> = Crash::dependency_down("refused").into();
        let (class, why) = Crash::read(boxed.as_ref());
        assert_eq!((class, why.as_str()), (CauseClass::DependencyDown, "a server it needs does not answer: refused"));
        let panic: Box<dyn Error + Send + Sync> = "index out of bounds".into();
        assert_eq!(Crash::read(panic.as_ref()), (CauseClass::Bug, "index out of bounds".to_owned()));
    }

    #[test]
    fn a_reason_is_bounded_and_free_of_nul() {
        let path = ActorPath::root("ordo");
        let fact = Fact::now(path, "writer", What::Crashed, &format!("\0{}", "ä".repeat(WHY_BYTES)));
        assert!(fact.why.len() <= WHY_BYTES + '…'.len_utf8());
        assert!(!fact.why.contains('\0') && fact.why.ends_with('…'));
    }

    #[test]
    fn on_the_wire_names_are_camel_case_and_the_pause_is_in_milliseconds() {
        let fact = Fact::now(ActorPath::root("ordo").child("log"), "supervisor", What::BackingOff, "x")
            .cause(CauseClass::DependencyDown)
            .backoff(Duration::from_millis(1_500))
            .budget_left(5);
        let json = serde_json::to_value(&fact).expect("a fact is plain data");
        assert_eq!(json["path"], "ordo/log");
        assert_eq!(json["what"], "backing_off");
        assert_eq!(json["cause"], "dependency_down");
        assert_eq!(json["backoffMs"], 1_500);
        assert_eq!(json["budgetLeft"], 5);
    }
}
