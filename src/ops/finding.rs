//! How one part of the system is: what `/readyz` and `ordo doctor` print alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad it is; the worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Works, but not as it should.
    Degraded,
    /// Does not work.
    Down,
}

impl Status {
    /// The word used on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// What was looked at, what was seen, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What was looked at: `postgres`, `kafka` …
    pub name: String,
    /// How it is.
    pub status: Status,
    /// What was seen.
    pub observed: String,
    /// What should have been seen.
    pub expected: String,
    /// What to do about it, unless it is as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Finding {
    /// All is well.
    #[must_use]
    pub fn ok(name: &str, observed: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            status: Status::Ok,
            observed: observed.into(),
            expected: expected.into(),
            next: None,
        }
    }

    /// Works, but not as it should.
    #[must_use]
    pub fn degraded(
        name: &str,
        observed: impl Into<String>,
        expected: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { status: Status::Degraded, next: Some(next.into()), ..Self::ok(name, observed, expected) }
    }

    /// Does not work.
    #[must_use]
    pub fn down(name: &str, observed: impl Into<String>, expected: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status: Status::Down, next: Some(next.into()), ..Self::ok(name, observed, expected) }
    }

    /// The worst of all; nothing looked at is nothing wrong.
    #[must_use]
    pub fn worst(findings: &[Self]) -> Status {
        findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_speaks_for_all() {
        let ok = Finding::ok("a", "x", "x");
        let degraded = Finding::degraded("b", "x", "y", "z");
        let down = Finding::down("c", "x", "y", "z");
        assert_eq!(Finding::worst(&[]), Status::Ok);
        assert_eq!(Finding::worst(&[ok.clone(), degraded.clone()]), Status::Degraded);
        assert_eq!(Finding::worst(&[down, ok, degraded]), Status::Down);
    }
}
