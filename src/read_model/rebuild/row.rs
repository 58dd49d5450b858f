//! The row of a rebuild: claimed by one process for a while, so that only one works on it.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::read_model::versions::columns;
use crate::subscription::models::ModelVersion;

const CLAIM: &str = include_str!("../sql/rebuild_claim.sql");
const GIVE_BACK: &str = include_str!("../sql/rebuild_give_back.sql");
const FAIL: &str = include_str!("../sql/rebuild_fail.sql");
const HOLD: &str = include_str!("../sql/rebuild_hold.sql");
const PHASE: &str = include_str!("../sql/rebuild_phase.sql");

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is there yet.
    Prepare,
    /// Pieces are folded.
    Bulk,
    /// Every piece is folded.
    Index,
    /// Indexes are there.
    CatchUp,
    /// It is attached.
    Verify,
    /// It is compared.
    Ready,
    /// It is left behind.
    Ended,
}

impl Phase {
    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Bulk => "bulk",
            Self::Index => "index",
            Self::CatchUp => "catch_up",
            Self::Verify => "verify",
            Self::Ready => "ready",
            Self::Ended => "ended",
        }
    }
}

impl FromStr for Phase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Prepare, Self::Bulk, Self::Index, Self::CatchUp, Self::Verify, Self::Ready, Self::Ended];
        all.into_iter().find(|phase| phase.as_str() == text).ok_or_else(|| format!("{text:?} is no phase"))
    }
}

impl TryFrom<String> for Phase {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A rebuild.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Rebuild {
    /// Of which read model.
    pub name: String,
    version: i16,
    number: i32,
    /// How far it is.
    #[sqlx(try_from = "String")]
    pub phase: Phase,
    /// Pieces folded side by side, 1 to 64.
    pub workers: i32,
    /// Most events a second; 0 for as many as can be.
    pub rate: i32,
    /// Where its comparison has come to: the last key compared.
    pub compare_after: Option<String>,
    /// Events that are to be folded before indexes are made.
    pub events_total: i64,
    /// When the bulk phase began.
    pub bulk_began_at: Option<DateTime<Utc>>,
}

impl Rebuild {
    /// Which version it makes.
    #[must_use]
    pub fn version(&self) -> ModelVersion {
        ModelVersion::of(self.version, self.number)
    }

    /// As its tables name it.
    pub(super) fn key(&self) -> (&str, i16, i32) {
        (&self.name, self.version, self.number)
    }

    /// Goes on to a phase, if it has not been left behind meanwhile.
    pub(super) async fn enter(&self, phase: Phase, db: impl PgExecutor<'_>) -> sqlx::Result<()> {
        let (name, version, number) = self.key();
        let query = sqlx::query(PHASE).bind(name).bind(version).bind(number);
        query.bind(phase.as_str()).execute(db).await?;
        Ok(())
    }

    /// Waits by itself for a reason, or no longer.
    ///
    /// # Errors
    /// What Postgres says.
    pub async fn hold(&self, why: Option<&str>, db: &PgPool) -> sqlx::Result<()> {
        let (name, version, number) = self.key();
        sqlx::query(HOLD).bind(name).bind(version).bind(number).bind(why).execute(db).await?;
        Ok(())
    }

    /// Stops until an operator resumes or cancels it.
    ///
    /// # Errors
    /// What Postgres says.
    pub async fn fail(&self, why: &str, db: &PgPool) -> sqlx::Result<()> {
        let (name, version, number) = self.key();
        sqlx::query(FAIL).bind(name).bind(version).bind(number).bind(why).execute(db).await?;
        Ok(())
    }
}

/// Takes up a rebuild of one of these models, or goes on with it, for so many seconds; none if nothing is to be done.
///
/// # Errors
/// What Postgres says.
pub async fn claim(
    models: &[(&str, u16)],
    owner: Uuid,
    seconds: f64,
    db: impl PgExecutor<'_>,
) -> sqlx::Result<Option<Rebuild>> {
    let (names, codes): (Vec<&str>, Vec<i16>) =
        models.iter().map(|(name, code)| (*name, columns(ModelVersion { code: *code, number: 1 }).0)).unzip();
    sqlx::query_as(CLAIM).bind(names).bind(codes).bind(owner).bind(seconds).fetch_optional(db).await
}

/// Lets the next process go on at once.
///
/// # Errors
/// What Postgres says.
pub async fn give_back(owner: Uuid, db: &PgPool) -> sqlx::Result<()> {
    sqlx::query(GIVE_BACK).bind(owner).execute(db).await?;
    Ok(())
}
