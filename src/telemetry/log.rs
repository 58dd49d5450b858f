//! `[log]`: log lines, for people or as JSON.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// `[log]`: what is logged and how. `ORDO_LOG__FORMAT=json` overrides a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// For people at a terminal, or one JSON object a line.
    pub format: Format,
    /// What is logged, such as `info` or `info,ordo::subscription=debug`.
    pub filter: String,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    Human,
    /// For machines.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self { format: Format::Human, filter: "info".to_owned() }
    }
}

/// Starts logging to standard error.
///
/// # Errors
/// In one line, if the filter cannot be read.
pub fn install(config: &Config) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.filter)
        .map_err(|error| format!("log.filter {:?} cannot be read: {error}; write for example `info`", config.filter))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_target(false);
    // A second call, as in tests, keeps the first.
    _ = match config.format {
        Format::Human => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}
