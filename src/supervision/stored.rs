//! Facts in Postgres: `supervision_fact`.

use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::fact::{ActorPath, Fact, What};
use super::restart::CauseClass;

const INSERT: &str = include_str!("sql/insert_facts.sql");
const PRUNE: &str = include_str!("sql/prune_facts.sql");
const RECENT: &str = include_str!("sql/recent_facts.sql");

/// The newest facts of all processes, newest first.
///
/// # Errors
/// Postgres did not answer, or a row says what this build does not know.
pub async fn recent_stored(db: &PgPool, limit: u32) -> sqlx::Result<Vec<Fact>> {
    let rows: Vec<Row> = sqlx::query_as(RECENT).bind(i64::from(limit)).fetch_all(db).await?;
    rows.into_iter().map(Row::into_fact).collect()
}

pub(super) async fn insert(facts: &[Fact], db: &PgPool) -> sqlx::Result<()> {
    fn column<'a, T>(facts: &'a [Fact], of: impl Fn(&'a Fact) -> T) -> Vec<T> {
        facts.iter().map(of).collect()
    }
    let millis = |pause: Duration| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
    let restarts = |left: u32| i32::try_from(left).unwrap_or(i32::MAX);
    sqlx::query(INSERT)
        .bind(column(facts, |fact| fact.id))
        .bind(column(facts, |fact| fact.at))
        .bind(column(facts, |fact| &*fact.node))
        .bind(column(facts, |fact| fact.path.as_str()))
        .bind(column(facts, |fact| &*fact.kind))
        .bind(column(facts, |fact| fact.what.as_str()))
        .bind(column(facts, |fact| fact.why.as_str()))
        .bind(column(facts, |fact| fact.cause.map(CauseClass::as_str)))
        .bind(column(facts, |fact| fact.backoff.map(millis)))
        .bind(column(facts, |fact| fact.budget_left.map(restarts)))
        .execute(db)
        .await?;
    Ok(())
}

/// Removes at most `limit` of the oldest facts: those beyond the `kept` newest, and those older than `keep`.
pub(super) async fn prune(kept: u32, keep: Duration, limit: i64, db: &PgPool) -> sqlx::Result<u64> {
    let removed = sqlx::query(PRUNE).bind(i64::from(kept)).bind(keep.as_secs_f64()).bind(limit).execute(db).await?;
    Ok(removed.rows_affected())
}

#[derive(FromRow)]
struct Row {
    fact_id: Uuid,
    at: DateTime<Utc>,
    node: String,
    path: String,
    kind: String,
    what: String,
    why: String,
    cause: Option<String>,
    backoff_ms: Option<i64>,
    budget_left: Option<i32>,
}

impl Row {
    fn into_fact(self) -> sqlx::Result<Fact> {
        let unknown = |column: &str, value: &str| {
            sqlx::Error::Decode(
                format!("supervision_fact.{column} is {value:?}, which this build does not know; use the newer one")
                    .into(),
            )
        };
        let what = What::read(&self.what).ok_or_else(|| unknown("what", &self.what))?;
        let cause = match self.cause.as_deref() {
            None => None,
            Some(name) => Some(
                CauseClass::ALL
                    .into_iter()
                    .find(|class| class.as_str() == name)
                    .ok_or_else(|| unknown("cause", name))?,
            ),
        };
        Ok(Fact {
            id: self.fact_id,
            at: self.at,
            node: self.node.into(),
            path: ActorPath::root(&self.path),
            kind: Cow::Owned(self.kind),
            what,
            why: self.why,
            cause,
            backoff: self.backoff_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis),
            budget_left: self.budget_left.and_then(|left| u32::try_from(left).ok()),
        })
    }
}
