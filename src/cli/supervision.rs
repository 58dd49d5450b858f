//! `ordo supervision`: the tree of actors and what happened to them.

use std::process::ExitCode;

use serde_json::Value;

use super::client::Client;
use super::output;

pub(super) async fn run(json: bool) -> anyhow::Result<ExitCode> {
    let answer = Client::ops()?.get("/ops/v1/supervision", &[]).await?;
    if json {
        output::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let or_dash = |value: &Value| {
        if value.is_null() { "-".to_owned() } else { text(value) }
    };
    let nodes = answer["tree"].as_array().cloned().unwrap_or_default();
    output::table(
        ["actor", "kind", "status", "restarts", "budget", "last crash"],
        nodes.iter().map(|node| {
            [
                text(&node["path"]),
                text(&node["kind"]),
                text(&node["status"]),
                text(&node["restarts"]),
                or_dash(&node["budgetLeft"]),
                or_dash(&node["lastCrash"]["why"]),
            ]
        }),
    );
    Ok(ExitCode::SUCCESS)
}
