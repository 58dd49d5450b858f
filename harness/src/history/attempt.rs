//! One attempt: a request that was sent, and what came back, if anything.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::wire::lines::Line;

#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    Create,
    Cancel,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Accepted,
    Refused,
    /// No answer, or one that leaves open whether the request took effect.
    Unknown,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    pub action: Action,
    pub key: Uuid,
    pub user_id: String,
    pub attempt: u32,
    pub order_id: Option<Uuid>,
    pub items: Vec<Line>,
    pub sent_at: DateTime<Utc>,
    pub answered_at: Option<DateTime<Utc>>,
    pub status: Option<u16>,
    /// Seconds that the answer asked to wait. Histories of former loads lack it.
    pub retry_after: Option<u64>,
    pub code: Option<String>,
    pub position: Option<String>,
    pub retries: u32,
    pub outcome: Outcome,
    pub error: Option<String>,
}

/// The same as written: borrowed, and with the lines as they were sent, because the load must stay cheap.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptLine<'a> {
    pub action: Action,
    pub key: Uuid,
    pub user_id: &'a str,
    pub attempt: u32,
    pub order_id: Option<Uuid>,
    pub items: &'a RawValue,
    pub sent_at: DateTime<Utc>,
    pub answered_at: Option<DateTime<Utc>>,
    pub status: Option<u16>,
    pub retry_after: Option<u64>,
    pub code: Option<&'a str>,
    pub position: Option<&'a str>,
    /// Attempts made before this one.
    pub retries: u32,
    pub outcome: Outcome,
    pub error: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn an_attempt_reads_back_as_written() -> Result<(), serde_json::Error> {
        let items = RawValue::from_string(r#"[{"productId":"a","quantity":2}]"#.into())?;
        let line = AttemptLine {
            action: Action::Create,
            key: Uuid::from_u128(1),
            user_id: "u",
            attempt: 2,
            order_id: Some(Uuid::from_u128(2)),
            items: &items,
            sent_at: clock::now(),
            answered_at: None,
            status: Some(202),
            retry_after: None,
            code: None,
            position: Some("1:2"),
            retries: 1,
            outcome: Outcome::Accepted,
            error: None,
        };
        let read: Attempt = serde_json::from_str(&serde_json::to_string(&line)?)?;
        assert_eq!((read.key, read.attempt, read.outcome), (line.key, 2, Outcome::Accepted));
        assert_eq!(read.items, [Line { product_id: "a".into(), quantity: 2 }]);
        assert_eq!(read.position.as_deref(), Some("1:2"));
        Ok(())
    }
}
