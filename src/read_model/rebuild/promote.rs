//! Which version queries and decisions read: one row, changed while nobody writes the model, so that no decision is made on
//! a version that is about to be left. Both are written before and after, so that it can be taken back at once.

use sqlx::PgConnection;

use super::control::{named, running};
use crate::postgres::{self, Fault};
use crate::read_model::versions::{self, columns};
use crate::subscription::Objection;
use crate::subscription::models::ModelVersion;

const COMPARED: &str = include_str!("../sql/rebuild_result.sql");
const BEFORE: &str = include_str!("../sql/version_before.sql");
const SWITCH: &str = include_str!("../sql/version_switch.sql");
/// Callers wait behind a lock that is waited for: not for long.
const PATIENCE: &str = "set local lock_timeout = '2s'";

/// A change of the active version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The one that is active.
    pub from: ModelVersion,
    /// The one that will be.
    pub to: ModelVersion,
    /// Rows that differed when the two were compared.
    pub different: i64,
    /// Rows that were compared.
    pub compared: i64,
}

/// What a promotion would do.
///
/// # Errors
/// [`Objection`] if no version is ready for it.
pub async fn promotion(name: &str, tx: &mut PgConnection) -> Result<Switch, Objection> {
    named(name, &mut *tx).await?;
    let Some((to, phase)) = running(name, tx).await? else {
        return Err(Objection::NotNow(format!(
            "{name} has no version to promote; `ordo projections rebuild {name}` makes one"
        )));
    };
    if phase != "ready" {
        return Err(Objection::NotNow(format!(
            "version {to} of {name} is not ready: its rebuild is at {}; `ordo projections wait {name}`",
            phase.replace('_', " ")
        )));
    }
    let (code, number) = columns(to);
    let (compared, different): (i64, i64) =
        sqlx::query_as(COMPARED).bind(name).bind(code).bind(number).fetch_one(&mut *tx).await?;
    Ok(Switch { from: active(name, tx).await?, to, different, compared })
}

/// What taking the last promotion back would do.
///
/// # Errors
/// [`Objection`] if the version before is not written any more.
pub async fn return_to_before(name: &str, tx: &mut PgConnection) -> Result<Switch, Objection> {
    named(name, &mut *tx).await?;
    let before: Option<(i16, i32)> = sqlx::query_as(BEFORE).bind(name).fetch_optional(&mut *tx).await?;
    match before {
        Some((code, number)) => {
            let (from, to) = (active(name, tx).await?, ModelVersion::of(code, number));
            Ok(Switch { from, to, different: 0, compared: 0 })
        }
        None => Err(Objection::NotNow(format!(
            "no version of {name} from before is written any more; `ordo projections rebuild {name}` makes a new one"
        ))),
    }
}

/// Makes another version the active one.
///
/// # Errors
/// [`Objection`] if writers do not let go, or it changed meanwhile; nothing was done then.
pub async fn switch(name: &str, switch: Switch, tx: &mut PgConnection) -> Result<(), Objection> {
    sqlx::query(PATIENCE).execute(&mut *tx).await?;
    versions::lock_alone(name, tx).await.map_err(|error| match postgres::classify(&error) {
        Fault::Contended => Objection::NotNow(format!(
            "writers of {name} did not let go within two seconds; nothing was done: try again"
        )),
        _ => Objection::Postgres(error),
    })?;
    let ((from_code, from_number), (to_code, to_number)) = (columns(switch.from), columns(switch.to));
    let query = sqlx::query_scalar(SWITCH).bind(name).bind(from_code).bind(from_number);
    let changed: bool = query.bind(to_code).bind(to_number).fetch_one(tx).await?;
    match changed {
        true => Ok(()),
        false => Err(Objection::NotNow(format!(
            "the versions of {name} have changed meanwhile; nothing was done: `ordo projections show {name}`"
        ))),
    }
}

async fn active(name: &str, tx: &mut PgConnection) -> Result<ModelVersion, Objection> {
    let written = versions::written(name, tx).await?;
    let active = written.iter().find(|attached| attached.is_active).map(|attached| attached.version);
    active.ok_or_else(|| Objection::NotNow(format!("{name} has no active version")))
}
