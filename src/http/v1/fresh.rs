//! Read your own writes: `?after=<position>&wait=<ms>`.

use std::time::Duration;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::contracts::{Position, PositionToken};
use crate::http::Gateway;
use crate::http::error::{FieldError, Problem, Refused};
use crate::read_model::wait::{Waited, until};

/// What a reader wants to have been seen.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Freshness {
    /// A position from an `Ordo-Position` header: the answer has seen it, or says `Ordo-Stale`.
    #[schemars(regex(pattern = "^[0-9]+:[0-9]+$"))]
    pub(super) after: Option<String>,
    /// Longest wait for it, in milliseconds.
    pub(super) wait: Option<u64>,
}

impl Freshness {
    /// From parameters that stand beside others.
    pub(super) fn of(after: Option<String>, wait: Option<u64>) -> Self {
        Self { after, wait }
    }

    /// Whether anything was asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.after.is_some()
    }

    /// Waits until `view` has seen it; the distance if it did not come in time.
    pub(super) async fn reached(&self, view: &str, gateway: &Gateway) -> Result<Option<Position>, Refused> {
        let Some(after) = &self.after else { return Ok(None) };
        let token = token(after, gateway.partitions.count())?;
        let bound = self.wait.map_or(gateway.config.wait_default, Duration::from_millis).min(gateway.config.wait_max);
        match until(&gateway.db, view, token, bound).await? {
            Waited::Reached => Ok(None),
            Waited::Stale { behind } => Ok(Some(behind)),
        }
    }
}

fn token(text: &str, partitions: u16) -> Result<PositionToken, Refused> {
    let bad = |why: String| {
        Problem::new(StatusCode::BAD_REQUEST, "bad_position", why.clone())
            .errors(vec![FieldError::new("after", why)])
            .next("send what an Ordo-Position header said")
    };
    let token: PositionToken = text.parse().map_err(|why| bad(format!("{why}")))?;
    if u16::try_from(token.partition).is_ok_and(|partition| partition < partitions) {
        Ok(token)
    } else {
        Err(bad(format!("the log has no partition {}", token.partition)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_one_of_this_log() {
        assert_eq!(token("7:12", 8).map(|token| token.position).ok(), Some(12));
        for bad in ["8:12", "x", "", "-1:2", "7"] {
            assert_eq!(
                token(bad, 8).map_err(|problem| problem.code().to_owned()).err(),
                Some("bad_position".to_owned()),
                "{bad}"
            );
        }
    }
}
