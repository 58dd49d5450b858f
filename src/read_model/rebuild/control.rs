//! What operators ask of rebuilds: rows that whoever works on one sees at its next step.

use sqlx::{PgConnection, PgExecutor};

use crate::read_model::versions::{self, columns};
use crate::subscription::Objection;
use crate::subscription::models::ModelVersion;
use crate::subscription::release::Word;

use super::verify::Difference;

const START: &str = include_str!("../sql/rebuild_start.sql");
const NAMES: &str = "select distinct name from read_model order by name";
const RUNNING: &str = include_str!("../sql/rebuild_running.sql");
const PAUSE: &str = include_str!("../sql/rebuild_pause.sql");
const RESUME: &str = include_str!("../sql/rebuild_resume.sql");
const PACE: &str = include_str!("../sql/rebuild_pace.sql");
const AGAIN: &str = include_str!("../sql/rebuild_verify_again.sql");
const LIST: &str = include_str!("../sql/read_models.sql");
const DIFFERENCES: &str = include_str!("../sql/rebuild_differences.sql");

/// Pieces folded side by side: 1 to 64.
pub const WORKERS: std::ops::RangeInclusive<i32> = 1..=64;

/// A version of a read model, and how it was or is made, as operators see it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Seen {
    /// Which read model.
    pub name: String,
    /// Version of the code.
    pub version: i16,
    /// Which of that code's tables.
    pub number: i32,
    /// `building`, `attached`, `detached` or `retired`.
    pub state: String,
    /// Whether queries read it.
    pub is_active: bool,
    /// Why it was left behind.
    pub why: Option<String>,
    /// When it was made.
    pub created_at: chrono::DateTime<chrono::Utc>,
    /// When another one became active instead.
    pub left_at: Option<chrono::DateTime<chrono::Utc>>,
    /// How far its rebuild is; none if it was there from the beginning.
    pub phase: Option<String>,
    /// Who paused it, and why.
    pub paused: Option<String>,
    /// Why it waits by itself.
    pub held_why: Option<String>,
    /// Why it cannot go on.
    pub failed_why: Option<String>,
    /// Pieces folded side by side.
    pub workers: Option<i32>,
    /// Most events a second; 0 for as many as can be.
    pub rate: Option<i32>,
    /// Who started it, and why.
    pub started: Option<String>,
    /// When.
    pub started_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Events of the log up to where it began.
    pub events_total: Option<i64>,
    /// Events folded of those.
    pub events_done: Option<i64>,
    /// Pieces of the log that are folded, and all of them.
    pub pieces_done: Option<i64>,
    /// All of them.
    pub pieces: Option<i64>,
    /// When the newest event that is folded was appended.
    pub at_event: Option<chrono::DateTime<chrono::Utc>>,
    /// Seconds of its bulk phase so far.
    pub bulk_seconds: Option<f64>,
    /// Rows compared with the active version.
    pub rows_compared: Option<i64>,
    /// Rows of those that differed.
    pub rows_different: Option<i64>,
    /// When the comparison ended.
    pub verified_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Events left out because the model's consumer holds them back.
    pub left_out: Option<i64>,
    /// The newest version of the code that a running process has.
    pub newest_code: Option<i16>,
}

/// Every version of a read model, or of all of them: the active one first, then the newest.
///
/// # Errors
/// What Postgres says.
pub async fn seen(name: Option<&str>, db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Seen>> {
    sqlx::query_as(LIST).bind(name).bind(versions::GONE_AFTER).fetch_all(db).await
}

/// Rows that differed when the version was compared, by key, after one, at most `limit`.
///
/// # Errors
/// What Postgres says.
pub async fn differences(
    name: &str,
    version: ModelVersion,
    after: Option<&str>,
    limit: i64,
    db: impl PgExecutor<'_>,
) -> sqlx::Result<Vec<Difference>> {
    let (code, number) = columns(version);
    sqlx::query_as(DIFFERENCES).bind(name).bind(code).bind(number).bind(after).bind(limit).fetch_all(db).await
}

/// Every read model there is.
///
/// # Errors
/// What Postgres says.
pub(super) async fn names(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(NAMES).fetch_all(db).await
}

/// Whether there is such a read model.
///
/// # Errors
/// [`Objection::Missing`], with the right names.
pub async fn named(name: &str, db: impl PgExecutor<'_>) -> Result<(), Objection> {
    let names = names(db).await?;
    match names.iter().any(|known| known == name) {
        true => Ok(()),
        false => Err(Objection::Missing(format!("there is no read model {name:?}; there are {}", names.join(", ")))),
    }
}

/// The version whose rebuild is under way: neither ready nor left behind.
///
/// # Errors
/// [`Objection`] if there is no such read model, or no rebuild of it.
pub async fn under_way(name: &str, tx: &mut PgConnection) -> Result<ModelVersion, Objection> {
    named(name, &mut *tx).await?;
    match running(name, tx).await? {
        Some((version, phase)) if phase != "ready" => Ok(version),
        _ => Err(Objection::NotNow(format!(
            "no rebuild of {name} is under way; `ordo projections rebuild {name}` starts one"
        ))),
    }
}

/// The version that would be given up: one that is being made, or was made and never became active.
///
/// # Errors
/// [`Objection`] if there is none.
pub async fn given_up(name: &str, tx: &mut PgConnection) -> Result<ModelVersion, Objection> {
    named(name, &mut *tx).await?;
    let found = running(name, tx).await?.map(|(version, _)| version);
    found.ok_or_else(|| Objection::NotNow(format!("no version of {name} is being made or waits to be promoted")))
}

/// The version that can be compared with the active one.
///
/// # Errors
/// [`Objection`] if there is none.
pub async fn to_compare(name: &str, tx: &mut PgConnection) -> Result<ModelVersion, Objection> {
    named(name, &mut *tx).await?;
    match running(name, tx).await? {
        Some((version, phase)) if ["verify", "ready"].contains(&phase.as_str()) => Ok(version),
        _ => Err(Objection::NotNow(format!(
            "{name} has no rebuilt version to compare; `ordo projections rebuild {name}` makes one"
        ))),
    }
}

/// Gives a version up; `false` if it is active or gone.
///
/// # Errors
/// What Postgres says.
pub async fn cancel(name: &str, version: ModelVersion, word: Word<'_>, tx: &mut PgConnection) -> sqlx::Result<bool> {
    versions::detach(name, version, &format!("cancelled by {}: {}", word.by, word.why), tx).await
}

/// The newest rebuild that is not left behind, with its phase.
pub(super) async fn running(name: &str, tx: &mut PgConnection) -> sqlx::Result<Option<(ModelVersion, String)>> {
    let row: Option<(i16, i32, String)> = sqlx::query_as(RUNNING).bind(name).fetch_optional(tx).await?;
    Ok(row.map(|(code, number, phase)| (ModelVersion::of(code, number), phase)))
}

/// The version that a rebuild started now would make.
///
/// # Errors
/// [`Objection`]: one is under way, or no running process can fold it.
pub async fn next_version(name: &str, tx: &mut PgConnection) -> Result<ModelVersion, Objection> {
    named(name, &mut *tx).await?;
    versions::lock_rebuilds(name, tx).await?;
    if let Some((version, phase)) = running(name, tx).await? {
        return Err(Objection::NotNow(match phase.as_str() {
            "ready" => format!(
                "version {version} of {name} is ready: `ordo projections promote {name}` makes it active, \
                 `ordo projections cancel {name}` gives it up"
            ),
            _ => format!("a rebuild of {name} is under way already: `ordo projections show {name}`"),
        }));
    }
    let Some(code) = versions::newest_code(name, &mut *tx).await? else {
        return Err(Objection::NotNow(format!("no running process keeps {name}: start one with `ordo serve`")));
    };
    Ok(ModelVersion { code, number: versions::next_number(name, code, tx).await? })
}

/// Starts a rebuild.
///
/// # Errors
/// What Postgres says.
pub async fn start(
    name: &str,
    version: ModelVersion,
    (workers, rate): (i32, i32),
    word: Word<'_>,
    tx: &mut PgConnection,
) -> sqlx::Result<()> {
    let (code, number) = columns(version);
    let query = sqlx::query(START).bind(name).bind(code).bind(number).bind(workers).bind(rate);
    query.bind(word.by).bind(word.why).execute(tx).await?;
    Ok(())
}

/// Pauses a rebuild that is under way; `false` if it was paused.
///
/// # Errors
/// What Postgres says.
pub async fn pause(name: &str, version: ModelVersion, word: Word<'_>, tx: &mut PgConnection) -> sqlx::Result<bool> {
    let (code, number) = columns(version);
    let query = sqlx::query(PAUSE).bind(name).bind(code).bind(number);
    Ok(query.bind(word.by).bind(word.why).execute(tx).await?.rows_affected() == 1)
}

/// Lets a paused or failed rebuild go on where it is; `false` if it was neither.
///
/// # Errors
/// What Postgres says.
pub async fn resume(name: &str, version: ModelVersion, tx: &mut PgConnection) -> sqlx::Result<bool> {
    let (code, number) = columns(version);
    Ok(sqlx::query(RESUME).bind(name).bind(code).bind(number).execute(tx).await?.rows_affected() == 1)
}

/// Changes workers and rate of a rebuild while it runs.
///
/// # Errors
/// What Postgres says.
pub async fn pace(
    name: &str,
    version: ModelVersion,
    (workers, rate): (Option<i32>, Option<i32>),
    tx: &mut PgConnection,
) -> sqlx::Result<()> {
    let (code, number) = columns(version);
    sqlx::query(PACE).bind(name).bind(code).bind(number).bind(workers).bind(rate).execute(tx).await?;
    Ok(())
}

/// Compares an attached version with the active one once more.
///
/// # Errors
/// What Postgres says.
pub async fn verify_again(name: &str, version: ModelVersion, tx: &mut PgConnection) -> sqlx::Result<bool> {
    let (code, number) = columns(version);
    Ok(sqlx::query(AGAIN).bind(name).bind(code).bind(number).execute(tx).await?.rows_affected() == 1)
}
