//! `ordo doctor`: the findings of `/readyz` if a service runs, else what it would meet.

use std::process::ExitCode;

use super::client::Client;
use super::output;
use crate::app;
use crate::config::Config;
use crate::ops::{Finding, Status};

pub(super) async fn run(config: &Config, json: bool) -> anyhow::Result<ExitCode> {
    let mut findings = app::doctor(config).await;
    findings.push(service().await);
    if json {
        output::json(&findings)?;
    } else {
        let row = |finding: &Finding| {
            [
                finding.name.clone(),
                finding.status.as_str().to_owned(),
                finding.observed.clone(),
                finding.expected.clone(),
                finding.next.clone().unwrap_or_default(),
            ]
        };
        output::table(["what", "status", "observed", "expected", "next"], findings.iter().map(row));
    }
    Ok(match Finding::worst(&findings) {
        Status::Ok => ExitCode::SUCCESS,
        Status::Degraded => ExitCode::from(2),
        Status::Down => ExitCode::from(1),
    })
}

async fn service() -> Finding {
    let readiness = match Client::rest() {
        Ok(client) => client.get_any("/readyz").await,
        Err(error) => Err(error),
    };
    match readiness {
        Ok(readiness) if readiness["status"] == "ok" => Finding::ok("service", "ready", "ready"),
        Ok(readiness) => {
            let text = |finding: &serde_json::Value, field: &str| finding[field].as_str().unwrap_or("?").to_owned();
            let findings = readiness["findings"].as_array().into_iter().flatten();
            let wrong: Vec<String> = findings
                .filter(|finding| finding["status"] != "ok")
                .map(|finding| format!("{}: {}", text(finding, "name"), text(finding, "observed")))
                .collect();
            let observed = format!("{}: {}", text(&readiness, "status"), wrong.join("; "));
            Finding::degraded("service", observed, "ready", "GET /readyz says what to do about each")
        }
        Err(error) => Finding::degraded("service", format!("{error:#}"), "ready", "`ordo serve` starts one"),
    }
}
