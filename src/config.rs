//! The configuration: sections live with their owners, here they are composed.
//!
//! Defaults in code ← a TOML file ← `DATABASE_URL` and `KAFKA_BROKERS` ← `ORDO_<SECTION>__<KEY>`. A wrong key is an error
//! that names where it stands and the nearest right one.

pub mod range;

use std::path::Path;

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

/// Other names that begin with `ORDO_`; they have one underscore and configure nothing here.
pub const OTHER_NAMES: &[&str] = &[
    "ORDO_URL",
    "ORDO_OPS_URL",
    "ORDO_TOKEN",
    "ORDO_YES",
    "ORDO_SERVICES",
    "ORDO_ADMIN_DATABASE_URL",
    "ORDO_CRASH_AT",
    "ORDO_STOP_AT",
];

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
    /// What is done about crashes.
    pub supervision: crate::supervision::Config,
    /// The REST listener.
    pub http: crate::http::Config,
    /// The operators' listener.
    pub ops: crate::ops::Config,
    /// What is logged.
    pub log: crate::telemetry::log::Config,
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
        let file = match file {
            Some(file) if !file.exists() => {
                return Err(ConfigError(format!("there is no file {}; name another with --config", file.display())));
            }
            Some(file) => Some(file),
            None => Some(Path::new(DEFAULT_FILE)).filter(|file| file.exists()),
        };
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        Self::from_environment(figment)
    }

    fn from_environment(mut figment: Figment) -> Result<Self, ConfigError> {
        for (name, key) in [("DATABASE_URL", "postgres.url"), ("KAFKA_BROKERS", "kafka.brokers")] {
            if let Ok(value) = std::env::var(name) {
                figment = figment.merge(Serialized::global(key, value));
            }
        }
        let ours = Env::prefixed("ORDO_").filter(|key| key.as_str().contains("__")).split("__");
        let config: Self = figment.merge(ours).extract().map_err(|error| ConfigError(explain(error)))?;
        config.check().map_err(ConfigError)?;
        Ok(config)
    }

    /// Whether every value is within its range.
    fn check(&self) -> Result<(), String> {
        self.postgres.check()?;
        self.kafka.check()?;
        self.event_store.check()?;
        self.aggregates.check()?;
        self.subscription.check()?;
        self.supervision.check()?;
        self.http.check()?;
        crate::ops::access::check(&self.ops)
    }
}

/// Figment knows the origin and the key; the nearest right key is ours to find.
fn explain(error: figment::Error) -> String {
    let Some(first) = error.into_iter().next() else {
        return "the configuration cannot be read".to_owned();
    };
    let origin = first.metadata.as_ref().map_or_else(String::new, |metadata| {
        let source = metadata.source.as_ref().map_or_else(String::new, |source| format!(" {source}"));
        format!("{}{source}: ", metadata.name)
    });
    let path = first.path.join(".");
    match &first.kind {
        Kind::UnknownField(wrong, known) => {
            let nearest =
                known.iter().max_by(|a, b| strsim::jaro_winkler(wrong, a).total_cmp(&strsim::jaro_winkler(wrong, b)));
            let at = if path.is_empty() { wrong.clone() } else { format!("{path}.{wrong}") };
            let hint = nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
            format!("{origin}there is no key `{at}`{hint}")
        }
        kind => format!("{origin}`{path}`: {kind}"),
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
