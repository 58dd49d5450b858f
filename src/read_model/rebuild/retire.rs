//! What nobody reads any more goes: a version that was active is left behind after a while, and the table of one that is
//! left behind is dropped once no query can have it in mind.

use std::time::Duration;

use sqlx::PgPool;

use super::Config;
use crate::read_model::table::{assert_safe, name_of};
use crate::read_model::versions::{columns, detach};
use crate::subscription::models::ModelVersion;

const EXPIRED: &str = include_str!("../sql/versions_expired.sql");
const DETACHED: &str = include_str!("../sql/versions_detached.sql");
const RETIRE: &str = include_str!("../sql/version_retire.sql");
/// Far longer than a query takes, and than a process believes what it has seen.
const GRACE: Duration = Duration::from_secs(10);
/// A query in the way is waited for the next time.
const PATIENCE: &str = "set local lock_timeout = '1s'";

/// Leaves behind and drops what is due; answers with how many tables went.
///
/// # Errors
/// What Postgres says; what was done before stays done.
pub async fn retire(config: &Config, db: &PgPool) -> sqlx::Result<u64> {
    let expired: Vec<(String, i16, i32)> =
        sqlx::query_as(EXPIRED).bind(config.keep.as_secs_f64()).fetch_all(db).await?;
    for (name, code, number) in expired {
        let version = ModelVersion::of(code, number);
        if detach(&name, version, "another version has been active for as long as it is kept", db).await? {
            tracing::info!(model = name, %version, "a version of a read model is not kept any longer");
        }
    }
    let mut dropped = 0;
    let detached: Vec<(String, i16, i32)> = sqlx::query_as(DETACHED).bind(GRACE.as_secs_f64()).fetch_all(db).await?;
    for (name, code, number) in detached {
        let version = ModelVersion::of(code, number);
        let mut tx = db.begin().await?;
        sqlx::query(PATIENCE).execute(&mut *tx).await?;
        let drop = assert_safe(format!("drop table if exists views.{}", name_of(&name, version)));
        sqlx::raw_sql(drop).execute(&mut *tx).await?;
        let (code, number) = columns(version);
        sqlx::query(RETIRE).bind(&name).bind(code).bind(number).execute(&mut *tx).await?;
        tx.commit().await?;
        tracing::info!(model = name, %version, "the table of a version of a read model is dropped");
        dropped += 1;
    }
    Ok(dropped)
}
