//! Where a value comes from: figment knows which provider gave it, here that gets a name people know.

use std::fmt;
use std::path::PathBuf;

use figment::value::{Dict, Map};
use figment::{Error, Figment, Metadata, Profile, Provider, Source};

/// What gave a key its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing else did.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl Origin {
    /// The origin of the value at `key`, such as `postgres.url`.
    #[must_use]
    pub fn of(figment: &Figment, key: &str) -> Self {
        figment.find_metadata(key).map_or(Self::Default, |metadata| Self::read(metadata, key))
    }

    /// What `metadata` says of the value at `key`.
    pub(super) fn read(metadata: &Metadata, key: &str) -> Self {
        match &metadata.source {
            Some(Source::File(path)) => Self::File(path.clone()),
            Some(Source::Custom(variable)) if variable.is_empty() => Self::Variable(variable_of(key)),
            Some(Source::Custom(variable)) => Self::Variable(variable.clone()),
            _ => Self::Default,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// The variable that overrides `key`: `postgres.pool` is `ORDO_POSTGRES__POOL`.
#[must_use]
pub fn variable_of(key: &str) -> String {
    format!("ORDO_{}", key.to_ascii_uppercase().replace('.', "__"))
}

/// Values of the environment. With a name all come from that variable, without one each from its own.
pub(super) struct FromEnvironment<P> {
    pub(super) values: P,
    pub(super) variable: &'static str,
}

impl<P: Provider> Provider for FromEnvironment<P> {
    fn metadata(&self) -> Metadata {
        Metadata::from("environment", Source::Custom(self.variable.to_owned()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        self.values.data()
    }
}
