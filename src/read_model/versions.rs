//! The versions of read models: which there are, what is written, what each running process can fold.

use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::subscription::models::{Attached, ModelVersion};

const REMEMBER: &str = include_str!("sql/remember.sql");
const WRITTEN: &str = include_str!("sql/written.sql");
const DETACH: &str = include_str!("sql/detach.sql");
const NOTE_CODE: &str = include_str!("sql/note_code.sql");
const FORGET_CODE: &str = include_str!("sql/forget_code.sql");
const NEWEST_CODE: &str = include_str!("sql/newest_code.sql");
const WITHOUT_CODE: &str = include_str!("sql/without_code.sql");
const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended('read_model/' || $1, 0))";

const LOCK_REBUILDS: &str = "select pg_advisory_xact_lock(hashtextextended('rebuild/' || $1, 0))";
const NEXT_NUMBER: &str = "select coalesce(max(number), 0) + 1 from read_model where name = $1 and version = $2";

/// Seconds after which a process that has not said what it can fold is taken for ended.
pub const GONE_AFTER: f64 = 15.0;

/// Notes the first table of a read model; `false` if it has one.
pub(super) async fn remember_first(model: &str, code: u16, tx: &mut PgConnection) -> sqlx::Result<bool> {
    let code = i16::try_from(code).unwrap_or(i16::MAX);
    let new: Option<i16> = sqlx::query_scalar(REMEMBER).bind(model).bind(code).fetch_optional(tx).await?;
    Ok(new.is_some())
}

/// The versions that are written, the active one first.
///
/// # Errors
/// What Postgres says.
pub async fn written(model: &str, db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Attached>> {
    let rows: Vec<(i16, i32, bool)> = sqlx::query_as(WRITTEN).bind(model).fetch_all(db).await?;
    let attached = |(code, number, is_active)| Attached { version: ModelVersion::of(code, number), is_active };
    Ok(rows.into_iter().map(attached).collect())
}

/// Nobody writes this version any more, unless it is the active one; `false` if it was not written.
///
/// # Errors
/// What Postgres says.
pub async fn detach(model: &str, version: ModelVersion, why: &str, db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    let (code, number) = columns(version);
    let left: i64 = sqlx::query_scalar(DETACH).bind(model).bind(code).bind(number).bind(why).fetch_one(db).await?;
    Ok(left == 1)
}

/// Waits until nobody writes this model, and lets nobody begin until the transaction ends.
///
/// # Errors
/// What Postgres says, a lock time-out among it.
pub(super) async fn lock_alone(model: &str, tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(LOCK).bind(model).execute(tx).await?;
    Ok(())
}

/// Lets nobody else start a rebuild of this model until the transaction ends.
pub(super) async fn lock_rebuilds(model: &str, tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(LOCK_REBUILDS).bind(model).execute(tx).await?;
    Ok(())
}

/// The number of the next table of this code.
pub(super) async fn next_number(model: &str, code: u16, tx: &mut PgConnection) -> sqlx::Result<u32> {
    let code = i16::try_from(code).unwrap_or(i16::MAX);
    let number: i32 = sqlx::query_scalar(NEXT_NUMBER).bind(model).bind(code).fetch_one(tx).await?;
    Ok(number.unsigned_abs())
}

/// Says what this process can fold; to be repeated well within [`GONE_AFTER`].
///
/// # Errors
/// What Postgres says.
pub async fn note_code(node_id: Uuid, node: &str, codes: &[(&str, u16)], db: &PgPool) -> sqlx::Result<()> {
    let (models, versions): (Vec<&str>, Vec<i16>) =
        codes.iter().map(|(model, code)| (*model, i16::try_from(*code).unwrap_or(i16::MAX))).unzip();
    sqlx::query(NOTE_CODE).bind(node_id).bind(node).bind(models).bind(versions).execute(db).await?;
    Ok(())
}

/// This process ends, and those that have ended are forgotten.
///
/// # Errors
/// What Postgres says.
pub async fn forget_code(node_id: Uuid, db: &PgPool) -> sqlx::Result<()> {
    sqlx::query(FORGET_CODE).bind(node_id).bind(GONE_AFTER).execute(db).await?;
    Ok(())
}

/// The newest version of a model's code that a running process has.
///
/// # Errors
/// What Postgres says.
pub async fn newest_code(model: &str, db: impl PgExecutor<'_>) -> sqlx::Result<Option<u16>> {
    let code: Option<i16> = sqlx::query_scalar(NEWEST_CODE).bind(model).bind(GONE_AFTER).fetch_one(db).await?;
    Ok(code.map(i16::unsigned_abs))
}

/// Running processes that cannot fold this version of a model's code.
///
/// # Errors
/// What Postgres says.
pub async fn without_code(model: &str, code: u16, db: impl PgExecutor<'_>) -> sqlx::Result<Vec<String>> {
    let code = i16::try_from(code).unwrap_or(i16::MAX);
    sqlx::query_scalar(WITHOUT_CODE).bind(model).bind(code).bind(GONE_AFTER).fetch_all(db).await
}

/// As it is stored.
pub(super) fn columns(version: ModelVersion) -> (i16, i32) {
    (i16::try_from(version.code).unwrap_or(i16::MAX), i32::try_from(version.number).unwrap_or(i32::MAX))
}
