//! One POST to the service and what came of it.

use std::error::Error;
use std::time::Duration;

use anyhow::Context;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use uuid::Uuid;

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
}

/// What came back, before anybody judges it.
#[derive(Clone, Debug)]
pub enum Answer {
    Answered {
        status: u16,
        retry_after: Option<Duration>,
        position: Option<String>,
        body: AnswerBody,
    },
    /// Connection refused, cut or timed out: the request may or may not have taken effect.
    NoAnswer(String),
}

/// The fields of an acceptance and of a problem; each is absent in the other.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerBody {
    pub order_id: Option<Uuid>,
    pub code: Option<String>,
    pub detail: Option<String>,
}

impl Client {
    pub fn new(base: &str, connections: usize, timeout: Duration) -> anyhow::Result<Self> {
        let base =
            base.parse().with_context(|| format!("{base:?} is no address: write --url like http://127.0.0.1:8080"))?;
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(connections)
            .timeout(timeout)
            .no_proxy()
            .build()
            .context("could not set up the HTTP client: see the cause below")?;
        Ok(Self { http, base })
    }

    pub fn url(&self, path: &str) -> anyhow::Result<Url> {
        self.base.join(path).with_context(|| format!("{path:?} is no path: ids in it must be plain"))
    }

    pub async fn post(&self, url: &Url, key: &str, body: String) -> Answer {
        let request = self
            .http
            .post(url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Answer::NoAnswer(with_causes(&error)),
        };
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let position = header(response.headers(), "ordo-position");
        match response.bytes().await {
            Ok(body) => Answer::Answered {
                status,
                retry_after,
                position,
                body: serde_json::from_slice(&body).unwrap_or_default(),
            },
            Err(error) => Answer::NoAnswer(with_causes(&error)),
        }
    }
}

impl Answer {
    pub fn describe(&self) -> String {
        match self {
            Self::Answered { status, body, .. } => {
                let code = body.code.as_deref().unwrap_or("no code");
                let detail = body.detail.as_deref().unwrap_or("no detail");
                format!("{status} {code}: {detail}")
            }
            Self::NoAnswer(why) => why.clone(),
        }
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The causes are what tells "connection refused" from "timed out"; the outermost error says only that sending failed.
fn with_causes(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "timed out".to_owned() } else { error.to_string() };
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
