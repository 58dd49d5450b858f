//! When everything is at rest: every read model is made anew from the log, and compared with the one that lived through the
//! storm.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::judge::Verdict;
use super::operator::Operator;
use crate::progress::Progress;

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Rebuilds each, one after the other; `within` is the longest that one may take.
pub async fn equal_live(operator: &Operator, within: Duration, progress: &Progress) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::of("I4", "a read model made anew from the log holds the rows of the one that lived");
    for name in models(&operator.ask("projections").await?)? {
        progress.show(&format!("{name} is made anew"));
        let found = make(operator, &name, within).await?;
        let differing = operator.ask(&format!("projections/{name}/diff?limit=3")).await?;
        verdict.check(found["rowsDifferent"] == 0, || format!("{name}: {found}: {differing}"));
        operator.act("projections/cancel", json!({ "projection": name })).await?;
    }
    Ok(verdict)
}

/// Makes a new version as fast as can be; what is said of it once it is compared.
pub async fn make(operator: &Operator, name: &str, within: Duration) -> anyhow::Result<Value> {
    let args = json!({ "projection": name, "rate": 0, "workers": 2 });
    let version = operator.act("projections/rebuild", args).await?["version"].clone();
    let began = Instant::now();
    loop {
        let found = find(&operator.ask(&format!("projections/{name}")).await?, &version)?;
        if found["phase"] == "ready" {
            return Ok(found);
        }
        if found["state"] == "failed" || began.elapsed() >= within {
            bail!("{name} could not be made anew within {within:?}: {found}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Names of the read models, from the list of projections.
pub fn models(answer: &Value) -> anyhow::Result<Vec<String>> {
    let versions = answer["projections"].as_array().context("the list of projections has none")?;
    let active = versions.iter().filter(|version| version["state"] == "active");
    Ok(active.filter_map(|version| version["projection"].as_str().map(str::to_owned)).collect())
}

fn find(answer: &Value, version: &Value) -> anyhow::Result<Value> {
    let versions = answer["versions"].as_array().context("a projection without versions")?;
    let found = versions.iter().find(|known| known["version"] == *version);
    found.cloned().with_context(|| format!("version {version}, which is being made, is not listed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_is_made_anew_once_whatever_versions_it_has() {
        let answer = json!({ "projections": [
            { "projection": "stock", "version": "1.1", "state": "active" },
            { "projection": "stock", "version": "1.2", "state": "written" },
            { "projection": "order_view", "version": "1.1", "state": "active" },
        ] });
        assert_eq!(models(&answer).unwrap(), ["stock", "order_view"]);
    }
}
