//! `ordo config show` and `ordo config check`: what this process would be configured with, and whether that is allowed.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::output;
use crate::config::{self, Origin, Sources};
use crate::postgres::{self, SetupError};

/// What to do with the configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Every key, its value without secrets, and where it came from: default, a file, or a variable.
    #[command(after_help = "Example: ordo config show --json")]
    Show,
    /// Read it and compare every value with its range: exit code 0 if it can be used.
    #[command(after_help = "Example: ordo config check --config ordo.toml")]
    Check,
}

pub(super) fn run(file: Option<&Path>, args: &Args, json: bool) -> anyhow::Result<ExitCode> {
    match args.verb {
        Verb::Show => show(file, json),
        Verb::Check => check(file, json),
    }
}

fn show(file: Option<&Path>, json: bool) -> anyhow::Result<ExitCode> {
    let keys = Sources::find(file)?.show()?;
    if json {
        let keys: Vec<Value> = keys
            .into_iter()
            .map(|(shown, origin)| json!({ "key": shown.key, "value": shown.value, "from": origin.to_string() }))
            .collect();
        output::json(&keys)?;
    } else {
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let row = |(shown, origin): (config::Shown, Origin)| [shown.key, text(shown.value), origin.to_string()];
        output::table(["key", "value", "from"], keys.into_iter().map(row));
    }
    Ok(ExitCode::SUCCESS)
}

fn check(file: Option<&Path>, json: bool) -> anyhow::Result<ExitCode> {
    let checked = checked(file);
    let mut warnings = config::unknown_names();
    if let Ok((_, Some(warning))) = &checked {
        warnings.push(warning.clone());
    }
    if json {
        let error = checked.as_ref().err().map(|error| format!("{error:#}"));
        output::json(
            &json!({ "status": if error.is_none() { "ok" } else { "refused" }, "error": error, "warnings": warnings }),
        )?;
        return Ok(if error.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    for warning in warnings {
        _ = writeln!(std::io::stderr(), "ordo: warning: {warning}");
    }
    let (set, _) = checked?;
    output::line(&format!("ok; {set} keys are not at their defaults, see `ordo config show`"));
    Ok(ExitCode::SUCCESS)
}

/// How many keys are set, and what only `ordo serve` would miss.
fn checked(file: Option<&Path>) -> Result<(usize, Option<String>), anyhow::Error> {
    let sources = Sources::find(file)?;
    let config = sources.checked()?;
    let warning = match postgres::connect_options(&config.postgres) {
        Ok(_) => None,
        Err(SetupError::NoAddress) => Some(SetupError::NoAddress.to_string()),
        Err(error) => return Err(error.into()),
    };
    let set = sources.show()?.iter().filter(|(_, origin)| *origin != Origin::Default).count();
    Ok((set, warning))
}
