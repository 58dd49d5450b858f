//! The command line: one file a command. Verbs that ask a running service are REST clients.

mod analytics;
mod client;
mod config;
mod demo;
mod doctor;
mod log;
mod migrate;
mod ops;
mod order;
mod output;
mod projections;
mod serve;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::clock;
use crate::config::Config;

/// Orders as supervised actors over a Postgres log, published to Kafka.
#[derive(Debug, Parser)]
#[command(name = "ordo", version, after_help = "Example: ordo migrate && ordo serve --roles http,relay")]
struct Cli {
    /// Configuration file; without it ./ordo.toml is read if it is there.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve REST and run the roles of this process.
    Serve(serve::Args),
    /// Bring the database up to date.
    Migrate(migrate::Args),
    /// Ask each dependency how it is: exit code 0 ok, 2 degraded, 1 down.
    #[command(after_help = "Example: ordo doctor --json")]
    Doctor,
    /// What this process would be configured with.
    Config(config::Args),
    /// The log itself.
    Log(log::Args),
    /// Place and look at orders, over REST.
    Order(order::Args),
    /// What orders came to: days, products, stages, customers, over REST.
    Analytics(analytics::Args),
    /// What operators ask and do about projections.
    Projections(projections::Args),
    /// A believable catalogue with stock, then orders at a steady rate; or a past of many events.
    Demo(demo::Args),
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    // From here on it is up.
    _ = clock::up_for();
    let matches = ops::extend(Cli::command()).get_matches();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(&anyhow::anyhow!("no runtime: {error}")),
    };
    match runtime.block_on(dispatch(&matches)) {
        Ok(code) => code,
        Err(error) => output::fail(&error),
    }
}

async fn dispatch(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    if let Some(done) = ops::run(matches, matches.get_flag("json")).await {
        return done;
    }
    let cli = Cli::from_arg_matches(matches).unwrap_or_else(|error| error.exit());
    let config = || Config::load(cli.config.as_deref());
    match cli.command {
        Command::Serve(args) => serve::run(config()?, args).await,
        Command::Migrate(args) => migrate::run(&config()?, args).await,
        Command::Doctor => doctor::run(&config()?, cli.json).await,
        Command::Config(args) => config::run(cli.config.as_deref(), &args, cli.json),
        Command::Log(args) => log::run(&config()?, args, cli.json).await,
        Command::Order(args) => order::run(args, cli.json).await,
        Command::Analytics(args) => analytics::run(args, cli.json).await,
        Command::Projections(args) => projections::run(args, cli.json).await,
        Command::Demo(args) => demo::run(config, args, cli.json).await,
    }
}
