//! Failures: a technical "no", with the class that chooses the policy. Nobody matches on text.

use std::fmt;

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
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "Postgres",
            Self::Orders => "the order aggregates",
        })
    }
}

/// Why events could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The bytes mean nothing to this build.
    #[error("the event can never be read")]
    Poison(#[source] BoxError),
    /// Understood, and impossible.
    #[error("the event can never be applied")]
    Permanent(#[source] BoxError),
    /// It may work later.
    #[error("the event could not be applied now")]
    Transient(#[source] BoxError),
    /// Nothing is wrong with the event: whatever it needs is away.
    #[error("{0} cannot be used")]
    DependencyDown(Dependency, #[source] BoxError),
    /// Another transaction was in the way; the same again may succeed.
    #[error("another transaction was in the way")]
    Contended(#[source] BoxError),
    /// A stream the batch appends to has moved on.
    #[error("a stream has moved on")]
    Conflict(#[source] BoxError),
    /// The handler panicked.
    #[error("the handler panicked: {0}")]
    Panic(String),
}

impl Failure {
    /// The event can never be read.
    pub fn poison(error: impl Into<BoxError>) -> Self {
        Self::Poison(error.into())
    }

    /// The event can never be applied.
    pub fn permanent(error: impl Into<BoxError>) -> Self {
        Self::Permanent(error.into())
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
            Self::Panic(_) => "panic",
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
            Fault::VersionTaken => Self::Conflict(error.into()),
            Fault::Contended => Self::Contended(error.into()),
            Fault::Rejected => Self::Permanent(error.into()),
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
