//! Failures: a technical "no", with the class that chooses the policy. Nobody matches on text.

use std::fmt;

use super::guard::StreamGap;
use crate::event_store::AppendError;
use crate::postgres::{self, Fault};

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a consumer needs besides itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// Postgres.
    Postgres,
    /// The order aggregates.
    Orders,
    /// A read model of which a version is written that this build does not know.
    ReadModel,
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "Postgres",
            Self::Orders => "the order aggregates",
            Self::ReadModel => "a read model",
        })
    }
}

/// The error behind a failure, with the name of its type: letters of one kind are found together by it.
#[derive(Debug)]
pub struct Cause {
    error: BoxError,
    /// Such as `serde_json::Error`; none for plain text.
    kind: Option<String>,
}

impl Cause {
    fn of<E: Into<BoxError>>(error: E) -> Self {
        let name = std::any::type_name::<E>();
        let is_text = name.ends_with("str") || name.ends_with("String") || name.contains("dyn ");
        Self { error: error.into(), kind: (!is_text).then(|| short(name)) }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// Crate and type, without the modules between: `serde_json::Error` of `serde_json::error::Error`.
fn short(name: &str) -> String {
    let path = name.split('<').next().unwrap_or(name);
    match (path.split_once("::"), path.rsplit_once("::")) {
        (Some((first, _)), Some((_, last))) => format!("{first}::{last}"),
        _ => path.to_owned(),
    }
}

/// Why events could not be applied. The class chooses the policy.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The bytes mean nothing to this build: a dead letter at once.
    #[error("the event can never be read")]
    Poison(#[source] Cause),
    /// Understood, and impossible: a dead letter at once.
    #[error("the event can never be applied")]
    Permanent(#[source] Cause),
    /// It may work later: tried a few times, then its stream is parked and it is tried again after minutes.
    #[error("the event could not be applied now")]
    Transient(#[source] Cause),
    /// Versions of its stream are missing before it: its stream is parked.
    #[error("the stream has a gap")]
    Gap(#[source] StreamGap),
    /// Nothing is wrong with the event: whatever it needs is away.
    #[error("{0} cannot be used")]
    DependencyDown(Dependency, #[source] BoxError),
    /// Another transaction was in the way; the same again may succeed.
    #[error("another transaction was in the way")]
    Contended(#[source] BoxError),
    /// What the batch was decided on, a stream or stock, has moved on.
    #[error("what it was decided on has moved on")]
    Conflict(#[source] BoxError),
    /// The handler panicked: the third time is a dead letter.
    #[error("the handler panicked at {place}: {message}")]
    Panic {
        /// What it said.
        message: String,
        /// Where, as `file:line`.
        place: String,
    },
    /// Processes ended while this event ran alone: a dead letter.
    #[error("{0} processes ended while this event ran alone")]
    Deadly(u32),
}

/// A failure of a batch, and which of its events is to blame if that is known: the culprit need not be searched for.
#[derive(Debug)]
pub struct Blamed {
    /// What went wrong.
    pub failure: Failure,
    /// The culprit's place in the batch.
    pub culprit: Option<usize>,
}

impl<E: Into<Failure>> From<E> for Blamed {
    fn from(failure: E) -> Self {
        Self { failure: failure.into(), culprit: None }
    }
}

impl Failure {
    /// The event can never be read.
    pub fn poison<E: Into<BoxError>>(error: E) -> Self {
        Self::Poison(Cause::of(error))
    }

    /// The event can never be applied.
    pub fn permanent<E: Into<BoxError>>(error: E) -> Self {
        Self::Permanent(Cause::of(error))
    }

    /// The event may be applied later.
    pub fn transient<E: Into<BoxError>>(error: E) -> Self {
        Self::Transient(Cause::of(error))
    }

    /// What kind of error it is, by name: of its type where there is one, else its class.
    #[must_use]
    pub fn error_type(&self) -> &str {
        match self {
            Self::Poison(cause) | Self::Permanent(cause) | Self::Transient(cause) => {
                cause.kind.as_deref().unwrap_or_else(|| self.class())
            }
            _ => self.class(),
        }
    }

    /// Where it comes from: the place of a panic, else what the event was read from.
    #[must_use]
    pub fn origin<'a>(&'a self, source: &'a str) -> &'a str {
        match self {
            Self::Panic { place, .. } => place,
            _ => source,
        }
    }

    /// Its class, as stored with a dead letter and counted.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Poison(_) => "poison",
            Self::Permanent(_) => "permanent",
            Self::Transient(_) => "transient",
            Self::DependencyDown(..) => "dependency_down",
            Self::Contended(_) => "contended",
            Self::Conflict(_) => "conflict",
            Self::Gap(_) => "gap",
            Self::Panic { .. } => "panic",
            Self::Deadly(_) => "deadly",
        }
    }

    /// This error and its causes, joined, at most 4 KiB.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text.chars().take(4096).collect()
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match postgres::classify(&error) {
            Fault::VersionTaken | Fault::StockTaken => Self::Conflict(error.into()),
            Fault::Contended => Self::Contended(error.into()),
            Fault::Rejected => Self::permanent(error),
            // A missing table or right fails every event alike: waiting loses nothing, dead-lettering would drain the topic.
            Fault::Lost | Fault::Unavailable | Fault::Broken | Fault::PositionTaken => {
                Self::DependencyDown(Dependency::Postgres, error.into())
            }
        }
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Postgres(error) => error.into(),
            corrupt @ AppendError::Corrupt(_) => Self::DependencyDown(Dependency::Postgres, corrupt.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_an_error_is_known_by_a_short_name() {
        let error = serde_json::from_str::<u8>("x").unwrap_err();
        assert_eq!(Failure::poison(error).error_type(), "serde_json::Error");
        assert_eq!(Failure::permanent("no").error_type(), "permanent");
        assert_eq!(Failure::Deadly(5).error_type(), "deadly");
    }

    #[test]
    fn the_chain_names_each_cause_once() {
        let chain = Failure::poison("the user is missing").chain();
        assert_eq!(chain, "the event can never be read: the user is missing");
    }
}
