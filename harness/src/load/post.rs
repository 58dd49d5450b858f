//! One request, sent with the same key and body until it is decided or patience ends.

use std::time::Instant;

use chrono::{DateTime, Utc};
use reqwest::Url;

use super::chance::Chance;
use super::client::{Answer, Client};
use super::retry::{Next, Patience, outcome};
use crate::clock;
use crate::history::Outcome;

pub struct Request {
    pub url: Url,
    pub key: String,
    pub body: String,
    /// Seeds the jitter, so that callers differ.
    pub number: u64,
}

/// What one attempt came to, for whoever keeps the history.
pub struct Attempted<'a> {
    pub attempt: u32,
    pub sent_at: DateTime<Utc>,
    pub ended_at: DateTime<Utc>,
    pub answer: &'a Answer,
    pub outcome: Outcome,
}

pub struct Ended {
    pub outcome: Outcome,
    pub answer: Answer,
    pub retries: u32,
}

/// `due` is when the request should have left: patience counts from there. `keep` hears of every attempt and ends the
/// whole thing with `false`.
pub async fn post_until_answered(
    client: &Client,
    request: &Request,
    due: Instant,
    patience: &Patience,
    mut keep: impl FnMut(&Attempted<'_>) -> bool,
) -> Ended {
    let mut chance: Option<Chance> = None;
    let mut attempt = 1;
    loop {
        let sent_at = clock::now();
        let answer = client.post(&request.url, &request.key, request.body.clone()).await;
        let outcome = outcome(&answer);
        let go_on = keep(&Attempted { attempt, sent_at, ended_at: clock::now(), answer: &answer, outcome });
        let chance = chance.get_or_insert_with(|| Chance::of(u64::from(std::process::id()), request.number));
        match patience.after(&answer, attempt, due.elapsed(), chance) {
            Next::Again(pause) if go_on => tokio::time::sleep(pause).await,
            Next::Again(_) => {
                return Ended { outcome, answer, retries: attempt - 1 };
            }
            Next::End(outcome) => {
                return Ended { outcome, answer, retries: attempt - 1 };
            }
        }
        attempt += 1;
    }
}
