//! `ordo serve`.

use std::process::ExitCode;

use crate::app::{Role, serve};
use crate::config::Config;
use crate::telemetry;

/// Options of `ordo serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: ordo serve --roles http,orders,relay")]
pub(super) struct Args {
    /// What this process does, comma separated: http, relay, inventory, orders, notification, views. All by default.
    #[arg(long, value_delimiter = ',', value_name = "ROLES")]
    roles: Vec<Role>,
}

pub(super) async fn run(config: Config, args: Args) -> anyhow::Result<ExitCode> {
    telemetry::log::install(&config.log).map_err(anyhow::Error::msg)?;
    let roles = if args.roles.is_empty() { Role::ALL.to_vec() } else { args.roles };
    serve(config, roles).await?;
    Ok(ExitCode::SUCCESS)
}
