//! `ordo projections wait`: follows a rebuild until it rests. Every other verb is made from the list of questions and actions.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::client::Client;
use super::output;

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What to do with read models.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Follow a rebuild until it is ready, fails or is given up: exit code 0 if it is ready and equal.
    #[command(
        after_help = "Example: ordo projections wait order_view && ordo projections promote order_view --reason equal"
    )]
    Wait {
        /// Name of the read model, from `projections list`.
        projection: String,
    },
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<ExitCode> {
    let Verb::Wait { projection } = args.verb;
    let client = Client::ops()?;
    let progress = ProgressBar::new(1_000);
    progress.set_style(ProgressStyle::with_template("{bar:30} {msg}")?);
    let version = loop {
        let answer = client.get(&format!("/ops/v1/projections/{projection}"), &[]).await?;
        let Some(version) = newest(&answer) else {
            progress.finish_and_clear();
            return Err(anyhow!(
                "{projection} is not being rebuilt; `ordo projections rebuild {projection} --reason …` starts it"
            ));
        };
        progress.set_position((version["percent"].as_f64().unwrap_or(0.0) * 10.0) as u64);
        progress.set_message(said(version));
        if rests(version) {
            break version.clone();
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    progress.finish_and_clear();
    if json {
        output::json(&version)?;
    } else {
        output::line(&format!("version {} of {projection}: {}", text(&version["version"]), said(&version)));
    }
    let is_equal = version["phase"] == "ready" && version["rowsDifferent"] == 0;
    Ok(if is_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The version that was made last.
fn newest(answer: &Value) -> Option<&Value> {
    let versions = answer["versions"].as_array()?.iter().filter(|version| !version["phase"].is_null());
    versions.max_by_key(|version| version["createdAt"].as_str().unwrap_or_default().to_owned())
}

fn rests(version: &Value) -> bool {
    ["ready", "ended"].iter().any(|phase| version["phase"] == *phase) || version["state"] == "failed"
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Where it is, in words.
fn said(version: &Value) -> String {
    let mut said = vec![text(&version["phase"])];
    if version["phase"] == "bulk" {
        said.push(format!("{} %", version["percent"]));
        said.extend(version["eventsPerSecond"].as_f64().map(|rate| format!("{rate:.0} events/s")));
        said.extend(version["etaSeconds"].as_f64().map(|seconds| format!("{seconds:.0} s left")));
        said.extend(version["atEvent"].as_str().map(|at| format!("at events of {at}")));
    }
    said.extend(version["rowsCompared"].as_i64().filter(|rows| *rows > 0).map(|rows| format!("{rows} rows compared")));
    said.extend(version["why"].as_str().map(str::to_owned));
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_newest_rebuild_is_followed_and_told_in_words() {
        let answer = json!({ "versions": [
            { "version": "1.1", "phase": null, "createdAt": "2026-01-01T00:00:00Z" },
            { "version": "1.2", "phase": "ended", "createdAt": "2026-01-02T00:00:00Z" },
            { "version": "1.3", "phase": "bulk", "createdAt": "2026-01-03T00:00:00Z", "percent": 12.5,
              "eventsPerSecond": 90_000.0, "etaSeconds": 7.0, "state": "building" },
        ] });
        let version = newest(&answer).expect("one is made");
        assert_eq!(version["version"], "1.3");
        assert!(!rests(version));
        assert_eq!(said(version), "bulk, 12.5 %, 90000 events/s, 7 s left");
    }
}
