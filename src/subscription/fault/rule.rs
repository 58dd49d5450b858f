//! A rule of the fault panel: which events, and how they fail. A row of `fault_rule`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, PgExecutor};
use uuid::Uuid;

use crate::subscription::Objection;

const RULES: &str = include_str!("../sql/fault_rules.sql");
const LOCK: &str = include_str!("../sql/fault_rules_lock.sql");
const INSERT: &str = include_str!("../sql/fault_rule_insert.sql");
const DELETE: &str = include_str!("../sql/fault_rules_delete.sql");

/// Longest sleep in milliseconds: Postgres ends a transaction that is idle for 2 s.
const SLOWEST: i32 = 1_500;
/// Longest pointer, and longest text it is compared with, in bytes.
const LONGEST: usize = 1_000;

/// How an event fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It can never be read.
    Poison,
    /// It can never be applied.
    Permanent,
    /// It cannot be applied now.
    Transient,
    /// The handler panics.
    Panic,
    /// The process aborts.
    Abort,
    /// The handler sleeps, once for each event.
    Slow,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Poison, Self::Permanent, Self::Transient, Self::Panic, Self::Abort, Self::Slow];

    fn as_str(self) -> &'static str {
        match self {
            Self::Poison => "poison",
            Self::Permanent => "permanent",
            Self::Transient => "transient",
            Self::Panic => "panic",
            Self::Abort => "abort",
            Self::Slow => "slow",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("there is no kind {text:?}; there are {known}")
        })
    }
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Its id.
    pub rule_id: Uuid,
    /// Whose events fail.
    pub consumer: String,
    /// How.
    #[sqlx(try_from = "String")]
    pub kind: Kind,
    /// Where in their payload, as a JSON pointer.
    pub pointer: String,
    /// The text that stands there.
    pub equals: String,
    /// How often one event fails before it succeeds, counted in each process; none for ever.
    pub times: Option<i32>,
    /// How long one is slow, in milliseconds.
    pub millis: Option<i32>,
    /// When it was set.
    pub made_at: DateTime<Utc>,
    /// By whom.
    pub made_by: String,
}

impl Rule {
    /// Whether an event with this payload is meant. Numbers and booleans are compared as JSON writes them.
    #[must_use]
    pub fn is_about(&self, payload: &Value) -> bool {
        match payload.pointer(&self.pointer) {
            Some(Value::String(text)) => *text == self.equals,
            Some(Value::Number(number)) => self.is_written(number),
            Some(Value::Bool(is_so)) => self.is_written(is_so),
            _ => false,
        }
    }

    fn is_written(&self, value: &impl fmt::Display) -> bool {
        let text = value.to_string();
        text == self.equals
    }

    /// How long it sleeps.
    pub(super) fn pause(&self) -> Duration {
        let millis = self.millis.unwrap_or_default().clamp(0, SLOWEST);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

/// A rule as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The id it will have.
    pub rule_id: Uuid,
    /// Whose events fail.
    pub consumer: String,
    /// How.
    pub kind: Kind,
    /// Where in their payload: a JSON pointer such as `/userId`.
    pub pointer: String,
    /// The text that stands there: 1 to 1,000 bytes.
    pub equals: String,
    /// How often one event fails before it succeeds, 1 or more; none for ever.
    pub times: Option<i32>,
    /// How long one is slow: 1 to 1,500 ms, and only where the kind is slow.
    pub millis: Option<i32>,
}

impl Wanted {
    /// Whether it can be a rule.
    ///
    /// # Errors
    /// [`Objection::Invalid`].
    pub fn check(&self) -> Result<(), Objection> {
        let Self { kind, pointer, equals, times, millis, .. } = self;
        let problem = if !pointer.starts_with('/') || pointer.len() > LONGEST {
            format!("{pointer:?} is no JSON pointer to a value in a payload: write /userId or /items/0/productId")
        } else if equals.is_empty() || equals.len() > LONGEST {
            format!("what stands there has 1 to {LONGEST} bytes")
        } else if times.is_some_and(|times| times < 1) {
            "times is 1 or more; leave it out for events that never succeed".to_owned()
        } else if times.is_some() && matches!(kind, Kind::Abort | Kind::Slow) {
            format!("times is not for {kind}: a process that ends remembers nothing, and each event is slow once")
        } else if *kind == Kind::Slow && !millis.is_some_and(|millis| (1..=SLOWEST).contains(&millis)) {
            format!("slow needs millis, 1 to {SLOWEST}: Postgres ends a transaction that is idle for longer")
        } else if *kind != Kind::Slow && millis.is_some() {
            format!("millis is for slow alone, and this is {kind}")
        } else {
            return Ok(());
        };
        Err(Objection::Invalid(problem))
    }
}

/// Every rule, oldest first.
///
/// # Errors
/// What Postgres says.
pub async fn list(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Rule>> {
    sqlx::query_as(RULES).fetch_all(db).await
}

/// The ids of those of these rules that there are, locked; of all rules if none is named.
///
/// # Errors
/// What Postgres says.
pub async fn lock(rules: &[Uuid], tx: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(LOCK).bind(rules).fetch_all(tx).await
}

/// Sets a rule that was checked; every process sees it within half a second.
///
/// # Errors
/// What Postgres says.
pub async fn set(wanted: &Wanted, by: &str, tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(wanted.rule_id)
        .bind(&wanted.consumer)
        .bind(wanted.kind.as_str())
        .bind(&wanted.pointer)
        .bind(&wanted.equals)
        .bind(wanted.times)
        .bind(wanted.millis)
        .bind(by)
        .execute(tx)
        .await?;
    Ok(())
}

/// Takes rules away; answers how many there were.
///
/// # Errors
/// What Postgres says.
pub async fn clear(rules: &[Uuid], tx: &mut PgConnection) -> sqlx::Result<u64> {
    Ok(sqlx::query(DELETE).bind(rules).execute(tx).await?.rows_affected())
}

#[cfg(test)]
pub(super) mod fabricated {
    use super::*;
    use crate::clock;

    /// A rule about `/userId` being `ada`, for ever.
    pub fn rule(kind: Kind) -> Rule {
        Rule {
            rule_id: Uuid::from_u128(7),
            consumer: "inventory".to_owned(),
            kind,
            pointer: "/userId".to_owned(),
            equals: "ada".to_owned(),
            times: None,
            millis: None,
            made_at: clock::now(),
            made_by: "local".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::fabricated::rule;
    use super::*;

    #[test]
    fn an_event_is_meant_by_the_text_at_a_place_in_its_payload() {
        let payload = json!({ "userId": "ada", "items": [{ "quantity": 3, "gift": true }], "reason": null });
        for (pointer, equals, is_meant) in [
            ("/userId", "ada", true),
            ("/userId", "bob", false),
            ("/items/0/quantity", "3", true),
            ("/items/0/quantity", "3.0", false),
            ("/items/0/gift", "true", true),
            ("/items/1/gift", "true", false),
            ("/items", "[]", false),
            ("/reason", "null", false),
        ] {
            let rule = Rule { pointer: pointer.to_owned(), equals: equals.to_owned(), ..rule(Kind::Poison) };
            assert_eq!(rule.is_about(&payload), is_meant, "{pointer} {equals}");
        }
    }

    #[test]
    fn what_cannot_be_a_rule_is_refused() {
        let good = Wanted {
            rule_id: Uuid::nil(),
            consumer: "inventory".to_owned(),
            kind: Kind::Transient,
            pointer: "/userId".to_owned(),
            equals: "ada".to_owned(),
            times: Some(3),
            millis: None,
        };
        assert!(good.check().is_ok());
        let slow = Wanted { kind: Kind::Slow, times: None, millis: Some(SLOWEST), ..good.clone() };
        assert!(slow.check().is_ok());
        for bad in [
            Wanted { pointer: "userId".to_owned(), ..good.clone() },
            Wanted { equals: String::new(), ..good.clone() },
            Wanted { times: Some(0), ..good.clone() },
            Wanted { kind: Kind::Abort, ..good.clone() },
            Wanted { millis: Some(5), ..good },
            Wanted { millis: Some(SLOWEST + 1), ..slow.clone() },
            Wanted { millis: None, ..slow },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_wrong_kind_is_told_which_there_are() {
        assert_eq!("panic".parse(), Ok(Kind::Panic));
        assert!("explode".parse::<Kind>().unwrap_err().contains("poison, permanent"));
    }
}
