//! `ordo migrate`: the schema as the owner, then what the service's role may do, then the read models' tables as that role.

use crate::event_store::{self, PartitionError, Partitions, Protection};
use crate::postgres::{self, SetupError};
use crate::projections;
use crate::read_model::create_tables;

/// Partitions of a new log unless told otherwise.
const PARTITIONS: u16 = 8;

/// How the database stands afterwards.
#[derive(Clone, Debug)]
pub struct Migrated {
    /// How the log is divided.
    pub partitions: Partitions,
    /// What the service's role may do to it.
    pub protection: Option<Protection>,
}

/// Why a database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Postgres cannot be used, or refuses the migrations.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The log is divided otherwise.
    #[error(transparent)]
    Partitions(#[from] PartitionError),
    /// The read models' tables belong to the service, which makes and drops their versions while it runs.
    #[error("the tables of the read models could not be made as the service's role, whom DATABASE_URL names")]
    ReadModels(#[source] sqlx::Error),
}

/// Brings the database up to date, as `owner_url` says, for a service that will connect as `service` says. A new log gets
/// `partitions` of them, 8 unless told. Repeating it changes nothing, and mends rights that have drifted.
///
/// # Errors
/// [`MigrateError`].
pub async fn migrate(
    service: &postgres::Config,
    owner_url: &str,
    partitions: Option<u16>,
) -> Result<Migrated, MigrateError> {
    let owner = postgres::migrate(owner_url).await?;
    let partitions = event_store::create_heads(&owner, partitions, PARTITIONS).await?;
    let db = match postgres::grant_to_service(&owner, service).await? {
        true => postgres::pool(service)?,
        false => owner.clone(),
    };
    create_tables(&projections::all(), &db).await.map_err(MigrateError::ReadModels)?;
    let protection = event_store::protection(&db).await.map_err(SetupError::Postgres)?;
    db.close().await;
    owner.close().await;
    Ok(Migrated { partitions, protection })
}
