//! Speaks with a running service over its own REST.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use serde_json::Value;

/// A service, by address.
#[derive(Clone, Debug)]
pub(super) struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    /// The REST listener: `ORDO_URL`, or where `ordo serve` listens by default.
    pub(super) fn rest() -> anyhow::Result<Self> {
        Self::at("ORDO_URL", "http://127.0.0.1:8080")
    }

    /// The ops listener: `ORDO_OPS_URL`, or where it listens by default.
    pub(super) fn ops() -> anyhow::Result<Self> {
        Self::at("ORDO_OPS_URL", "http://127.0.0.1:8081")
    }

    fn at(name: &str, default: &str) -> anyhow::Result<Self> {
        let base = std::env::var(name).unwrap_or_else(|_| default.to_owned());
        if base.starts_with("https:") {
            bail!("{name}={base}: this build speaks plain HTTP; name the listener behind the proxy, http://…");
        }
        let http = reqwest::Client::builder().timeout(Duration::from_secs(15)).build()?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), http })
    }

    pub(super) async fn get(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Value> {
        let mut request = self.http.get(format!("{}{path}", self.base)).query(query);
        if let Ok(token) = std::env::var("ORDO_TOKEN") {
            request = request.bearer_auth(token);
        }
        self.answer(request).await
    }

    /// An answer that is no JSON; a refusal is.
    pub(super) async fn text(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<String> {
        let answer = self.sent(self.http.get(format!("{}{path}", self.base)).query(query)).await?;
        let status = answer.status();
        if status.is_success() {
            Ok(answer.text().await?)
        } else {
            Err(problem(status.as_u16(), &self.json(answer).await?))
        }
    }

    pub(super) async fn post(&self, path: &str, key: Option<&str>, body: &impl Serialize) -> anyhow::Result<Value> {
        let mut request = self.http.post(format!("{}{path}", self.base)).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.answer(request).await
    }

    /// Asks the ops listener to do something.
    pub(super) async fn act(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let mut request = self.http.post(format!("{}{path}", self.base)).json(body);
        if let Ok(token) = std::env::var("ORDO_TOKEN") {
            request = request.bearer_auth(token);
        }
        self.answer(request).await
    }

    /// The body whatever the status: `/readyz` says with a 503 what is wrong.
    pub(super) async fn get_any(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.send(self.http.get(format!("{}{path}", self.base))).await?.1)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let (status, body) = self.send(request).await?;
        if status.is_success() { Ok(body) } else { Err(problem(status.as_u16(), &body)) }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<(reqwest::StatusCode, Value)> {
        let answer = self.sent(request).await?;
        Ok((answer.status(), self.json(answer).await?))
    }

    async fn sent(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        request.send().await.with_context(|| {
            format!(
                "nothing answers at {}; is it running? `make up` starts it, `source .local/env` names it",
                self.base
            )
        })
    }

    async fn json(&self, answer: reqwest::Response) -> anyhow::Result<Value> {
        answer.json().await.with_context(|| format!("{} answered no JSON", self.base))
    }
}

/// A problem as one line: what, which fields, what next.
fn problem(status: u16, body: &Value) -> anyhow::Error {
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let fields: Vec<String> = body["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|error| format!("{}: {}", error["field"].as_str().unwrap_or("?"), error["detail"].as_str().unwrap_or("?")))
        .collect();
    let parts = [text("detail"), fields.join(", "), text("next")];
    let line: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    anyhow!("{status} {}: {}", text("code"), line.join("; "))
}
