//! Logins of operators: `ops_session`. A browser gets a random secret for its token; the table keeps its hash.
//!
//! A session is never worth more than its token: one that is no longer configured ends every session that was opened with
//! it, and one whose role is lowered lowers theirs; a higher role needs another login.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rand::Rng;
use sha2::{Digest, Sha256};
use sqlx::{FromRow, PgPool};

use super::access::{Caller, Role, is_equal};
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
#[derive(Clone, Debug, FromRow)]
struct Row {
    caller: String,
    role: String,
    #[sqlx(rename = "token_sha256")]
    token: String,
    expires_at: DateTime<Utc>,
}

/// What a look found, and when somebody last tried to look again.
#[derive(Clone, Debug)]
struct Look {
    row: Option<Row>,
    found_at: Instant,
    tried_at: Instant,
}

/// By the hash of its secret.
type Seen = HashMap<[u8; 32], Look>;

/// The sessions this process has seen, and where the others are.
#[derive(Debug)]
pub struct Sessions {
    db: PgPool,
    fresh: Duration,
    seen: Mutex<Seen>,
}

impl Sessions {
    /// Knows none yet.
    #[must_use]
    pub fn new(db: PgPool) -> Self {
        Self { db, fresh: FRESH, seen: Mutex::default() }
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
            Some(known) if known.tried_at.elapsed() < self.fresh && known.found_at.elapsed() < WITHOUT_POSTGRES => {
                known.row
            }
            known => match self.find(&hash).await {
                Ok(row) => {
                    self.remember(hash, row.clone());
                    row
                }
                Err(error) => self.without_postgres(hash, known).ok_or(error)?,
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
        sqlx::query_as(FIND).bind(hash.as_slice()).fetch_optional(&self.db).await
    }

    /// What was found before, if that is not too long ago. Not everybody waits for a Postgres that is away: it is asked
    /// again once what is known is no longer fresh.
    fn without_postgres(&self, hash: [u8; 32], known: Option<Look>) -> Option<Option<Row>> {
        let known = known.filter(|known| known.found_at.elapsed() < WITHOUT_POSTGRES)?;
        self.keep(hash, Look { tried_at: Instant::now(), ..known.clone() });
        Some(known.row)
    }

    fn remember(&self, hash: [u8; 32], row: Option<Row>) {
        let now = Instant::now();
        self.keep(hash, Look { row, found_at: now, tried_at: now });
    }

    fn keep(&self, hash: [u8; 32], look: Look) {
        let mut seen = self.seen();
        if seen.len() >= MOST && !seen.contains_key(&hash) {
            seen.clear();
        }
        seen.insert(hash, look);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a session still holds: its time is not over, and its token is still configured. Its role is the lower of what
/// it was opened with and what its token has now.
fn judge(row: &Row, config: &Config, now: DateTime<Utc>) -> Option<Session> {
    let token = config.tokens.iter().find(|token| token.name == row.caller && token.sha256 == row.token)?;
    let opened: Role = serde_json::from_value(row.role.as_str().into()).ok()?;
    let caller = Caller { name: token.name.clone(), role: opened.min(token.role) };
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

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use sqlx::postgres::PgPoolOptions;

    use super::*;

    fn config(sha256: &str, role: Role) -> Config {
        let token = Token { name: "ada".to_owned(), role, sha256: sha256.to_owned() };
        Config { tokens: vec![token], ..Config::default() }
    }

    fn row(expires_at: DateTime<Utc>) -> Row {
        Row { caller: "ada".to_owned(), role: "operator".to_owned(), token: "one".to_owned(), expires_at }
    }

    #[test]
    fn a_session_ends_with_its_time_and_with_its_token_and_is_never_worth_more_than_that() {
        let now = clock::now();
        let row = row(now + TimeDelta::hours(1));
        let role = |config: &Config, at| judge(&row, config, at).map(|session| session.caller.role);
        assert_eq!(role(&config("one", Role::Operator), now), Some(Role::Operator));
        assert_eq!(role(&config("one", Role::Viewer), now), Some(Role::Viewer), "a lowered role counts at once");
        assert_eq!(role(&config("one", Role::Admin), now), Some(Role::Operator), "a higher one needs another login");
        assert_eq!(role(&config("two", Role::Operator), now), None, "the token was renewed");
        assert_eq!(role(&Config::default(), now), None, "the token is gone");
        assert_eq!(role(&config("one", Role::Operator), now + TimeDelta::hours(1)), None, "its time is over");
    }

    #[tokio::test]
    async fn a_session_that_was_seen_holds_while_postgres_is_away_and_no_other_does() {
        let pool = PgPoolOptions::new().acquire_timeout(Duration::from_millis(50));
        let db = pool.connect_lazy("postgres://nobody@127.0.0.1:1/nothing").expect("an address");
        let sessions = Sessions { fresh: Duration::ZERO, ..Sessions::new(db) };
        let config = config("one", Role::Operator);
        assert!(sessions.of("seen", &config).await.is_err(), "nobody has shown it here");
        sessions.remember(hash("seen"), Some(row(clock::now() + TimeDelta::hours(1))));
        sessions.remember(hash("ended"), None);
        for _ in 0..3 {
            assert!(sessions.of("seen", &config).await.is_ok_and(|session| session.is_some()));
            assert!(sessions.of("ended", &config).await.is_ok_and(|session| session.is_none()));
        }
        assert!(sessions.of("forged", &config).await.is_err());
        assert!(
            sessions.of("seen", &Config::default()).await.is_ok_and(|session| session.is_none()),
            "its token is gone"
        );
    }

    #[test]
    fn what_belongs_to_one_session_is_worth_nothing_with_another() {
        assert!(is_csrf("one", &csrf("one")));
        for wrong in [csrf("two"), String::new(), csrf("one").to_uppercase(), "one".to_owned()] {
            assert!(!is_csrf("one", &wrong), "{wrong}");
        }
    }
}
