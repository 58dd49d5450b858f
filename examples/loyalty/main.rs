//! Loyalty points, as a program of its own beside a running ordo: one consumer, one table, and a look at it.
//!
//! `consumer.rs` says what is read and what follows from it, `points.rs` owns the table. Delivery, order, repeats, retries
//! and supervision are ordo's. As a part of ordo itself it would be `src/consumers/loyalty.rs` and its line in
//! `src/consumers/mod.rs`.

mod consumer;
mod points;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ordo::config::Config;
use ordo::subscription::listed;
use ordo::{app, telemetry};

use consumer::Loyalty;

/// A point for each whole unit of currency in a confirmed order.
#[derive(Debug, Parser)]
#[command(
    name = "loyalty",
    after_help = "DATABASE_URL, KAFKA_BROKERS and ORDO_<SECTION>__<KEY> say where ordo is, as they do for ordo itself. \
        ORDO_ADMIN_DATABASE_URL names the owner of the database, who makes the table at the first start.\n\
        Example: make up && . .local/env && cargo run --example loyalty -- serve"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Give points until SIGTERM; orders that were confirmed before the first start get theirs, too.
    Serve,
    /// Print who has how many.
    #[command(after_help = "Example: loyalty show --top 3")]
    Show {
        /// Most rows printed.
        #[arg(long, default_value_t = 20)]
        top: i64,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loyalty: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    let config = Config::load(None)?;
    match command {
        Command::Serve => {
            telemetry::log::install(&config.log).map_err(anyhow::Error::msg)?;
            points::create(&config.postgres).await?;
            app::follow(config, vec![listed(Loyalty)]).await?;
        }
        Command::Show { top } => {
            let highest = points::highest(top, &config.postgres).await?;
            println!("{:<24} {:>12} {:>8}", "user", "points", "orders");
            for points::Row { user_id, points, orders } in highest {
                println!("{user_id:<24} {points:>12} {orders:>8}");
            }
        }
    }
    Ok(())
}
