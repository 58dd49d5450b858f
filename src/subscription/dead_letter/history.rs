//! What happened to a letter after it was written: the failures of its replays.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::cut;
use crate::subscription::Failure;

const READ: &str = include_str!("../sql/letter_history.sql");
const NOTE: &str = include_str!("../sql/letter_failed_again.sql");

/// Most failures that are kept.
const KEPT: usize = 5;
/// Longest error of one, in bytes.
const ERROR_BYTES: usize = 1024;

/// A failure after the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaterFailure {
    /// When.
    pub at: DateTime<Utc>,
    /// Its class.
    pub class: String,
    /// The error and its causes, 1 KiB at most.
    pub error: String,
    /// The build that tried.
    pub build: String,
}

impl LaterFailure {
    /// What came of one more try.
    #[must_use]
    pub fn of(failure: &Failure, at: DateTime<Utc>) -> Self {
        Self {
            at,
            class: failure.class().to_owned(),
            error: failure.chain(),
            build: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The failures of a letter after the first, oldest first; none where the text cannot be read, for it decides nothing.
#[must_use]
pub fn read(history: &str) -> Vec<LaterFailure> {
    serde_json::from_str(history).unwrap_or_default()
}

/// `history` with one more failure, of the newest five.
fn with(history: &str, mut later: LaterFailure) -> sqlx::Result<String> {
    later.error = cut(&later.error.replace('\0', "\u{fffd}"), ERROR_BYTES).to_owned();
    let mut all = read(history);
    all.push(later);
    let kept = &all[all.len().saturating_sub(KEPT)..];
    serde_json::to_string(kept).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

/// Notes that a replay of an open letter failed. The letter goes to its topic once more, with its history.
pub(in crate::subscription) async fn note(
    letter_id: Uuid,
    later: LaterFailure,
    tx: &mut PgConnection,
) -> sqlx::Result<()> {
    let history: Option<String> = sqlx::query_scalar(READ).bind(letter_id).fetch_optional(&mut *tx).await?;
    if let Some(history) = history {
        let at = later.at;
        sqlx::query(NOTE).bind(letter_id).bind(with(&history, later)?).bind(at).execute(tx).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn panic(message: String) -> Failure {
        Failure::Panic { message, place: "src/x.rs:1".to_owned() }
    }

    #[test]
    fn the_newest_five_are_kept_newest_last_and_short() {
        let mut history = "[]".to_owned();
        for number in 0..8 {
            let failure = panic(format!("{number}{}", "é".repeat(2_000)));
            history = with(&history, LaterFailure::of(&failure, clock::now())).unwrap();
        }
        let kept = read(&history);
        let numbers: Vec<bool> =
            kept.iter().zip(3..).map(|(later, number)| later.error.contains(&format!(": {number}é"))).collect();
        assert_eq!(numbers, [true; KEPT]);
        assert!(kept.iter().all(|later| later.error.len() <= ERROR_BYTES));
    }

    #[test]
    fn a_history_that_cannot_be_read_begins_anew() {
        let history = with("rubbish", LaterFailure::of(&panic("x".to_owned()), clock::now())).unwrap();
        assert_eq!(read(&history).len(), 1);
    }
}
