//! `ordo serve`.

use std::process::ExitCode;

use crate::app::{Role, serve};
use crate::config::Config;
use crate::telemetry;

/// Options of `ordo serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: ordo serve --roles http,orders,relay")]
pub(super) struct Args {
    #[arg(long, value_delimiter = ',', value_name = "ROLES", help = about_roles())]
    roles: Vec<Role>,
}

fn about_roles() -> String {
    let all: Vec<String> = Role::all().iter().map(ToString::to_string).collect();
    format!("What this process does, comma separated: {}. All by default", all.join(", "))
}

pub(super) async fn run(config: Config, args: Args) -> anyhow::Result<ExitCode> {
    telemetry::log::install(&config.log).map_err(anyhow::Error::msg)?;
    let roles = if args.roles.is_empty() { Role::all() } else { args.roles };
    serve(config, roles).await?;
    Ok(ExitCode::SUCCESS)
}
