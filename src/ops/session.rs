//! Logins of operators: `ops_session`. A browser gets a random secret for its token; the table keeps its hash.
//!
//! A session is as good as its token: one that is no longer configured, or has another role now, ends or changes every
//! session that was opened with it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rand::Rng;
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use super::access::{Caller, is_equal};
use super::config::{Config, Token};
use crate::clock;

const OPEN: &str = include_str!("sql/open_session.sql");
const FIND: &str = include_str!("sql/find_session.sql");
const END: &str = include_str!("sql/end_session.sql");

/// How long a look at the table holds: a revoked session ends within that time on every node.
const FRESH: Duration = Duration::from_secs(5);
/// How long a session that was seen holds while Postgres does not answer: operators are needed most then.
const WITHOUT_POSTGRES: Duration = Duration::from_secs(600);
/// Sessions remembered.
const MOST: usize = 1_000;

/// Who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who, and what they may do.
    pub caller: Caller,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// What the table says of a secret.
#[derive(Clone, Debug)]
struct Row {
    caller: String,
    token: String,
    expires_at: DateTime<Utc>,
}

/// By the hash of its secret: when a session was looked up, and what was found.
type Seen = HashMap<[u8; 32], (Instant, Option<Row>)>;

/// The sessions this process has seen, and where the others are.
#[derive(Debug)]
pub struct Sessions {
    db: PgPool,
    seen: Mutex<Seen>,
}

impl Sessions {
    /// Knows none yet.
    #[must_use]
    pub fn new(db: PgPool) -> Self {
        Self { db, seen: Mutex::default() }
    }

    /// Opens a session for whoever showed this token; answers its secret and when it ends.
    ///
    /// # Errors
    /// What Postgres says.
    pub async fn open(&self, token: &Token, keep: Duration) -> sqlx::Result<(String, DateTime<Utc>)> {
        let secret = hex(&rand::rng().random::<[u8; 32]>());
        let expires_at = sqlx::query_scalar(OPEN)
            .bind(hash(&secret).as_slice())
            .bind(&token.name)
            .bind(token.role.to_string())
            .bind(&token.sha256)
            .bind(keep.as_secs_f64())
            .fetch_one(&self.db)
            .await?;
        Ok((secret, expires_at))
    }

    /// Who has this secret; `None` if nobody has, any more or ever.
    ///
    /// # Errors
    /// Postgres did not answer, and nobody has shown this secret here lately.
    pub async fn of(&self, secret: &str, config: &Config) -> sqlx::Result<Option<Session>> {
        let hash = hash(secret);
        let known = self.seen().get(&hash).cloned();
        let row = match known {
            Some((at, row)) if at.elapsed() < FRESH => row,
            known => match self.find(&hash).await {
                Ok(row) => {
                    self.remember(hash, row.clone());
                    row
                }
                Err(error) => match known {
                    Some((at, row)) if at.elapsed() < WITHOUT_POSTGRES => row,
                    _ => return Err(error),
                },
            },
        };
        Ok(row.and_then(|row| judge(&row, config, clock::now())))
    }

    /// Ends it, everywhere within seconds.
    ///
    /// # Errors
    /// What Postgres says.
    pub async fn end(&self, secret: &str) -> sqlx::Result<()> {
        let hash = hash(secret);
        sqlx::query(END).bind(hash.as_slice()).execute(&self.db).await?;
        self.remember(hash, None);
        Ok(())
    }

    async fn find(&self, hash: &[u8; 32]) -> sqlx::Result<Option<Row>> {
        let row: Option<(String, String, DateTime<Utc>)> =
            sqlx::query_as(FIND).bind(hash.as_slice()).fetch_optional(&self.db).await?;
        Ok(row.map(|(caller, token, expires_at)| Row { caller, token, expires_at }))
    }

    fn remember(&self, hash: [u8; 32], row: Option<Row>) {
        let mut seen = self.seen();
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.insert(hash, (Instant::now(), row));
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a session still holds: its time is not over, and its token is still configured; the role is the token's.
fn judge(row: &Row, config: &Config, now: DateTime<Utc>) -> Option<Session> {
    let token = config.tokens.iter().find(|token| token.name == row.caller && token.sha256 == row.token)?;
    let caller = Caller { name: token.name.clone(), role: token.role };
    (row.expires_at > now).then_some(Session { caller, expires_at: row.expires_at })
}

/// What a page sends with each action: known only to whoever was told the session, and worth nothing with another.
#[must_use]
pub fn csrf(secret: &str) -> String {
    hex(&Sha256::digest(format!("ordo csrf {secret}")))
}

/// Whether a page sent what belongs to the session of this secret; takes the same time for any wrong answer.
#[must_use]
pub fn is_csrf(secret: &str, sent: &str) -> bool {
    is_equal(&hash(&csrf(secret)), &hash(sent))
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::ops::access::Role;

    fn config(sha256: &str, role: Role) -> Config {
        let token = Token { name: "ada".to_owned(), role, sha256: sha256.to_owned() };
        Config { tokens: vec![token], ..Config::default() }
    }

    #[test]
    fn a_session_ends_with_its_time_and_with_its_token_and_has_the_role_of_its_token() {
        let now = clock::now();
        let row = Row { caller: "ada".to_owned(), token: "one".to_owned(), expires_at: now + TimeDelta::hours(1) };
        let role = |config: &Config, at| judge(&row, config, at).map(|session| session.caller.role);
        assert_eq!(role(&config("one", Role::Operator), now), Some(Role::Operator));
        assert_eq!(role(&config("one", Role::Viewer), now), Some(Role::Viewer), "a lowered role counts at once");
        assert_eq!(role(&config("two", Role::Operator), now), None, "the token was renewed");
        assert_eq!(role(&Config::default(), now), None, "the token is gone");
        assert_eq!(role(&config("one", Role::Operator), now + TimeDelta::hours(1)), None, "its time is over");
    }

    #[test]
    fn what_belongs_to_one_session_is_worth_nothing_with_another() {
        assert!(is_csrf("one", &csrf("one")));
        for wrong in [csrf("two"), String::new(), csrf("one").to_uppercase(), "one".to_owned()] {
            assert!(!is_csrf("one", &wrong), "{wrong}");
        }
    }
}
