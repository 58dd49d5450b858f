//! What is left, judged: by the checker, and here by what callers were answered and processes showed.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::rules::promise_of;
use super::setup::{CLIENT_PATIENCE, Ground, Own};
use crate::history::{self, Attempt, Outcome};

const OFFENDERS_KEPT: usize = 5;

/// One rule: how often it was looked at, and the first places where it did not hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// I1 to I10.
    #[serde(default)]
    pub promise: String,
    #[serde(alias = "invariant")]
    pub rule: String,
    pub checked: u64,
    pub violated: u64,
    pub offenders: Vec<String>,
}

impl Verdict {
    pub fn of(promise: &str, rule: &str) -> Self {
        Self { promise: promise.into(), rule: rule.into(), checked: 0, violated: 0, offenders: Vec::new() }
    }

    /// Counts one thing looked at; `offender` is only asked for when it does not hold.
    pub fn check(&mut self, holds: bool, offender: impl FnOnce() -> String) {
        self.checked += 1;
        if !holds {
            self.violated += 1;
            if self.offenders.len() < OFFENDERS_KEPT {
                self.offenders.push(offender());
            }
        }
    }

    pub fn holds(&self) -> bool {
        self.violated == 0
    }
}

/// What the checker printed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    pub events: i64,
    pub duplicates: u64,
    pub cut_lines: u64,
    pub findings: Vec<Verdict>,
}

/// Runs the checker program, which reads Postgres, Kafka and the histories, and nothing of this.
pub async fn check(
    ground: &Ground,
    own: &Own,
    histories: &[PathBuf],
    settle: Duration,
    more: Vec<String>,
) -> anyhow::Result<Checked> {
    let program = ground.programs.join("checker");
    let output = Command::new(&program)
        .args(["--database-url", &own.database_url, "--brokers", &own.brokers])
        .args(["--topic-prefix", &format!("{}.", own.name), "--mirrored", "order.created", "--json"])
        .args(["--settle", &format!("{}ms", settle.as_millis())])
        .args(more)
        .args(histories)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("could not start {}: cargo build -p ordo-harness --bins", program.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut checked: Checked = serde_json::from_str(said.trim()).with_context(|| {
        let last = String::from_utf8_lossy(&output.stderr);
        format!("the checker could not check: {}", last.lines().last().unwrap_or("it said nothing"))
    })?;
    for finding in &mut checked.findings {
        finding.promise = promise_of(&finding.rule).to_owned();
    }
    Ok(checked)
}

/// What callers met, over all histories.
#[derive(Debug)]
pub struct Answers {
    pub attempts: u64,
    pub accepted: u64,
    /// 503 with Retry-After.
    pub refused_for_now: u64,
    /// Connections refused, cut or timed out.
    pub unanswered: u64,
    honest: Verdict,
    in_time: Verdict,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            attempts: 0,
            accepted: 0,
            refused_for_now: 0,
            unanswered: 0,
            honest: Verdict::of("I10", "no answer of 5xx but 503, and none without Retry-After"),
            in_time: Verdict::of("I10", "no acceptance later than a second after the caller's patience"),
        }
    }
}

impl Answers {
    pub fn read(histories: &[PathBuf]) -> anyhow::Result<Self> {
        let mut answers = Self::default();
        for path in histories {
            history::read(path, |attempt| answers.add(&attempt))?;
        }
        Ok(answers)
    }

    fn add(&mut self, attempt: &Attempt) {
        self.attempts += 1;
        match (attempt.status, attempt.retry_after) {
            (None, _) => self.unanswered += 1,
            (Some(503), Some(_)) => self.refused_for_now += 1,
            _ => (),
        }
        let is_honest =
            attempt.status.is_none_or(|status| status < 500 || status == 503 && attempt.retry_after.is_some());
        self.honest.check(is_honest, || {
            let (status, code) = (attempt.status, attempt.code.as_deref().unwrap_or("no code"));
            format!("key {}, attempt {}: {status:?} {code} at {}", attempt.key, attempt.attempt, attempt.sent_at)
        });
        if attempt.outcome == Outcome::Accepted {
            self.accepted += 1;
            let took = attempt.answered_at.map(|at| at - attempt.sent_at).and_then(|took| took.to_std().ok());
            self.in_time.check(took.is_none_or(|took| took <= CLIENT_PATIENCE + Duration::from_secs(1)), || {
                format!("key {} after {took:?}", attempt.key)
            });
        }
    }

    pub fn verdicts(&self) -> Vec<Verdict> {
        vec![self.honest.clone(), self.in_time.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::history_index::fabricated::attempt;

    fn violated(status: Option<u16>, retry_after: Option<u64>) -> u64 {
        let mut answers = Answers::default();
        answers.add(&Attempt { status, retry_after, ..attempt(1, Outcome::Unknown) });
        answers.honest.violated
    }

    #[test]
    fn only_503_with_retry_after_is_an_honest_5xx() {
        assert_eq!(violated(Some(503), Some(1)), 0);
        assert_eq!(violated(Some(503), None), 1);
        assert_eq!(violated(Some(500), Some(1)), 1);
        for status in [None, Some(202), Some(409)] {
            assert_eq!(violated(status, None), 0, "{status:?}");
        }
    }

    #[test]
    fn an_acceptance_nobody_waited_for_any_more_is_found() {
        let mut answers = Answers::default();
        let late = attempt(1, Outcome::Accepted);
        let answered_at = Some(late.sent_at + CLIENT_PATIENCE + Duration::from_secs(2));
        answers.add(&Attempt { answered_at, ..late });
        assert_eq!(answers.in_time.violated, 1);
    }
}
