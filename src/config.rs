//! The configuration: sections live with their owners, here they are composed.
//!
//! Defaults in code ← a TOML file ← `DATABASE_URL` and `KAFKA_BROKERS` ← `ORDO_<SECTION>__<KEY>`. A wrong key is an error
//! that names where it stands and the nearest right one.

mod names;
mod origin;
pub mod range;
mod show;

use std::path::Path;

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use names::OTHER_NAMES;
use origin::FromEnvironment;
pub use origin::{Origin, variable_of};
pub use show::{Shown, without_password};

/// File that is read if it is there and no other is named.
const DEFAULT_FILE: &str = "ordo.toml";

/// Everything that can be configured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where everything durable lives.
    pub postgres: crate::postgres::Config,
    /// Where the log is published.
    pub kafka: crate::kafka::Config,
    /// How the log is written and followed.
    pub event_store: crate::event_store::Config,
    /// How long aggregates live.
    pub aggregates: crate::actors::Config,
    /// How events are followed.
    pub subscription: crate::subscription::Config,
    /// How read models are rebuilt.
    pub read_model: crate::read_model::rebuild::Config,
    /// What is done about crashes.
    pub supervision: crate::supervision::Config,
    /// The REST listener.
    pub http: crate::http::Config,
    /// The operators' listener.
    pub ops: crate::ops::Config,
    /// What is logged.
    pub log: crate::telemetry::log::Config,
    /// Where traces go.
    pub trace: crate::telemetry::trace::Config,
}

/// In one line: where it stands, what is wrong, what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl Config {
    /// Reads the configuration of this process.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Sources::find(file)?.checked()
    }

    /// Whether every value is within its range.
    fn check(&self) -> Result<(), String> {
        self.postgres.check()?;
        self.kafka.check()?;
        self.event_store.check()?;
        self.aggregates.check()?;
        self.subscription.check()?;
        self.read_model.check()?;
        self.supervision.check()?;
        self.http.check()?;
        self.trace.check()?;
        crate::ops::access::check(&self.ops)
    }
}

/// Where the configuration of this process comes from.
#[derive(Debug)]
pub struct Sources(Figment);

impl Sources {
    /// Defaults, the file (`file`, or `./ordo.toml` if it is there) and the environment.
    ///
    /// # Errors
    /// [`ConfigError`] if the file named is not there.
    pub fn find(file: Option<&Path>) -> Result<Self, ConfigError> {
        let file = match file {
            Some(file) if !file.exists() => {
                return Err(ConfigError(format!("there is no file {}; name another with --config", file.display())));
            }
            Some(file) => Some(file),
            None => Some(Path::new(DEFAULT_FILE)).filter(|file| file.exists()),
        };
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        for (variable, key) in [("DATABASE_URL", "postgres.url"), ("KAFKA_BROKERS", "kafka.brokers")] {
            if let Ok(value) = std::env::var(variable) {
                figment = figment.merge(FromEnvironment { values: Serialized::global(key, value), variable });
            }
        }
        let ours = Env::prefixed("ORDO_").filter(|key| key.as_str().contains("__")).split("__");
        Ok(Self(figment.merge(FromEnvironment { values: ours, variable: "" })))
    }

    /// The configuration, every key known, values not compared with their ranges.
    ///
    /// # Errors
    /// [`ConfigError`]: a key nobody knows, or a value of another kind.
    pub fn read(&self) -> Result<Config, ConfigError> {
        self.0.extract().map_err(|error| ConfigError(explain(error)))
    }

    /// The configuration, every value within its range.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn checked(&self) -> Result<Config, ConfigError> {
        let config = self.read()?;
        config.check().map_err(|error| ConfigError(self.located(&error)))?;
        Ok(config)
    }

    /// Every key, its value without secrets, and where it came from.
    ///
    /// # Errors
    /// [`ConfigError`], as [`Sources::read`].
    pub fn show(&self) -> Result<Vec<(Shown, Origin)>, ConfigError> {
        let keys = show::keys(as_json(&self.read()?));
        Ok(keys
            .into_iter()
            .map(|shown| {
                let origin = Origin::of(&self.0, &shown.key);
                (shown, origin)
            })
            .collect())
    }

    /// A value out of its range, with where it stands unless that is this program.
    fn located(&self, error: &str) -> String {
        match error.split_once(" = ").map(|(key, _)| Origin::of(&self.0, key)) {
            None | Some(Origin::Default) => error.to_owned(),
            Some(origin) => format!("{origin}: {error}"),
        }
    }
}

/// Warnings about variables of this process that begin with `ORDO_` and that nobody reads, a line each.
#[must_use]
pub fn unknown_names() -> Vec<String> {
    let variables: Vec<String> =
        show::keys(as_json(&Config::default())).iter().map(|shown| variable_of(&shown.key)).collect();
    names::unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()), &variables)
}

fn as_json(config: &Config) -> Value {
    serde_json::to_value(config).expect("a configuration is a table of tables of values")
}

/// Figment knows the origin and the key; the nearest right key is ours to find.
fn explain(error: figment::Error) -> String {
    let Some(first) = error.into_iter().next() else {
        return "the configuration cannot be read".to_owned();
    };
    let path = first.path.join(".");
    let (at, what) = match &first.kind {
        Kind::UnknownField(wrong, known) => {
            // Some sources name the key as the end of the path, others leave it out.
            let at = match path.as_str() {
                "" => wrong.clone(),
                path if path == wrong || path.ends_with(&format!(".{wrong}")) => path.to_owned(),
                path => format!("{path}.{wrong}"),
            };
            let nearest = names::nearest(wrong, known.iter().copied());
            let hint = nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
            let what = format!("there is no key `{at}`{hint}");
            (at, what)
        }
        kind => (path.clone(), if path.is_empty() { kind.to_string() } else { format!("`{path}`: {kind}") }),
    };
    match first.metadata.as_ref().map(|metadata| Origin::read(metadata, &at)) {
        None | Some(Origin::Default) => what,
        Some(origin) => format!("{origin}: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Result<Config, String> {
        Figment::from(Serialized::defaults(Config::default())).merge(Toml::string(toml)).extract().map_err(explain)
    }

    #[test]
    fn every_default_is_a_configuration() {
        assert!(read("").is_ok());
    }

    #[test]
    fn a_wrong_key_is_told_the_nearest_right_one() {
        let error = read("[event_store]\nwritters = 2").unwrap_err();
        assert!(error.contains("event_store.writters") && error.contains("`writers`"), "{error}");
        let error = read("[event_stroe]\nwriters = 2").unwrap_err();
        assert!(error.contains("`event_store`"), "{error}");
    }

    #[test]
    fn every_default_is_within_its_range() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn a_value_beyond_its_range_names_the_key_and_the_range() {
        let config = read("[event_store]\nwriters = 0").unwrap();
        assert_eq!(config.check(), Err("event_store.writers = 0: expected 1 to 256".to_owned()));
    }

    #[test]
    fn a_wrong_value_says_where_it_stands_and_what_is_expected() {
        let error = read("[subscription]\nattempts = \"many\"").unwrap_err();
        assert!(error.contains("subscription.attempts"), "{error}");
    }

    #[test]
    fn durations_are_written_for_people() {
        let config = read("[subscription]\nlease = \"1500ms\"").unwrap();
        assert_eq!(config.subscription.lease, std::time::Duration::from_millis(1500));
    }
}
