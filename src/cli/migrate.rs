//! `ordo migrate`.

use std::process::ExitCode;

use anyhow::Context;

use super::output;
use crate::config::Config;
use crate::{event_store, postgres, projections};

/// Partitions of a new log unless told otherwise.
const PARTITIONS: u16 = 8;

/// Options of `ordo migrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: ordo migrate --partitions 16")]
pub(super) struct Args {
    /// Partitions of a new log, 1 to 1,024; fixed for ever once it exists.
    #[arg(long, value_name = "P")]
    partitions: Option<u16>,
}

pub(super) async fn run(config: Config, args: Args) -> anyhow::Result<ExitCode> {
    let owner = std::env::var("ORDO_ADMIN_DATABASE_URL").unwrap_or(config.postgres.url);
    let db = postgres::migrate(&owner).await?;
    let partitions = event_store::create_heads(&db, args.partitions, PARTITIONS).await?;
    projections::create_tables(&db).await.context("the tables of the read models could not be made")?;
    output::line(&format!("the database is up to date; the log has {} partitions", partitions.count()));
    Ok(ExitCode::SUCCESS)
}
