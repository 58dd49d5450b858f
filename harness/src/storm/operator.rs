//! An operator on the line: asks and acts over REST, as `ordo`'s own command line does.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(10);
/// A process that was just started again refuses connections for a moment.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
const AGAIN_AFTER: Duration = Duration::from_millis(200);

pub struct Operator {
    http: reqwest::Client,
    url: String,
}

impl Operator {
    /// At the listener of one process: what is done there holds for all.
    pub fn at(ops_url: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { http, url: format!("{ops_url}/ops/v1") })
    }

    pub async fn ask(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(path, || self.http.get(format!("{}/{path}", self.url))).await
    }

    /// What the action says that it has done.
    pub async fn act(&self, path: &str, args: Value) -> anyhow::Result<Value> {
        let body = json!({ "args": args, "reason": "storm" });
        let answer = self.answer(path, || self.http.post(format!("{}/{path}", self.url)).json(&body)).await?;
        Ok(answer["outcome"].clone())
    }

    async fn answer(&self, path: &str, request: impl Fn() -> RequestBuilder) -> anyhow::Result<Value> {
        let began = Instant::now();
        loop {
            let problem = match request().send().await {
                Ok(answer) if answer.status().is_success() => {
                    return answer.json().await.with_context(|| format!("{path} was answered with something else"));
                }
                Ok(answer) if answer.status().is_client_error() => {
                    bail!("{path} was refused with {}: {}", answer.status(), answer.text().await.unwrap_or_default())
                }
                Ok(answer) => format!("{}: {}", answer.status(), answer.text().await.unwrap_or_default()),
                // It may have been done: whoever acts here either finds that out or may do it twice.
                Err(error) => format!("{error:#}"),
            };
            if began.elapsed() >= ANSWERS_WITHIN {
                bail!("{path} was not answered within {ANSWERS_WITHIN:?} ({problem}): see the log of the processes");
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}
