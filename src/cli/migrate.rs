//! `ordo migrate`.

use std::process::ExitCode;

use super::output;
use crate::app;
use crate::config::Config;

/// Options of `ordo migrate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "ORDO_ADMIN_DATABASE_URL names the owner of the database, DATABASE_URL the role the service will have.\n\
        Example: ordo migrate --partitions 16"
)]
pub(super) struct Args {
    /// Partitions of a new log, 1 to 1,024; fixed for ever once it exists.
    #[arg(long, value_name = "P")]
    partitions: Option<u16>,
}

pub(super) async fn run(config: &Config, args: Args) -> anyhow::Result<ExitCode> {
    let owner = std::env::var("ORDO_ADMIN_DATABASE_URL").unwrap_or_else(|_| config.postgres.url.clone());
    let migrated = app::migrate(&config.postgres, &owner, args.partitions).await?;
    output::line(&format!("the database is up to date; the log has {} partitions", migrated.partitions.count()));
    if let Some(protection) = migrated.protection {
        let role = &protection.role;
        output::line(&match protection.is_append_only() {
            true => format!("the log is protected: the service's role {role} can only read and append"),
            false => format!("the log is not protected: the service's role {role} could change it; see `ordo doctor`"),
        });
    }
    Ok(ExitCode::SUCCESS)
}
