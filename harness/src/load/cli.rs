//! `load` on the command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::{Catalogue, Client, Mark, Pace, Patience, Traffic, Until};
use crate::duration;
use crate::history::HistoryWriter;
use crate::progress::Progress;

/// Places orders at a running ordo and writes down every answer.
///
/// Every POST carries an Idempotency-Key. Connection errors, timeouts and 5xx are tried again with the same key and body
/// (Retry-After is honoured) until --give-up, so the service may be killed and restarted meanwhile. Latency counts from
/// when an order was due to its acceptance, retries included.
///
/// Exit code: 0 orders were accepted, 1 none was, 2 the load could not run.
#[derive(Parser, Debug)]
#[command(
    name = "load",
    version,
    after_help = "Example:\n  load --products 200 --stock 1000000 --connections 64 \
--seconds 30 --history /tmp/history.jsonl\n  load --rate 300 --orders 10000 --scarce 5 --stock 100000 --cancel-percent 5"
)]
struct Args {
    /// Where the service listens.
    #[arg(long, env = "ORDO_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Connections; in an open loop (--rate) the most orders under way at once.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Open loop: orders a second, due by the clock and not by the answers.
    #[arg(long, value_parser = positive)]
    rate: Option<f64>,
    /// How long to place orders.
    #[arg(long, default_value_t = 10, conflicts_with = "orders", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// How many orders to place.
    #[arg(long)]
    orders: Option<u64>,
    /// Size of the catalogue that orders choose from.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    products: u32,
    /// Make the catalogue first, with so many pieces of each product; made once, however often it is asked for.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    stock: Option<u64>,
    /// Also use so many scarce products, so that some orders are rejected.
    #[arg(long, default_value_t = 0)]
    scarce: u32,
    /// Pieces of each scarce product, when the catalogue is made.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    scarce_stock: u64,
    /// Share of accepted orders to cancel.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=100))]
    cancel_percent: u8,
    /// Send each cancellation after a random part of this time: some then meet the confirmation on its way.
    #[arg(long, default_value = "0s", value_parser = duration::parse)]
    cancel_within: Duration,
    /// Share of accepted orders whose POST is sent once more; the checker sees whether the answer is the same.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(..=100))]
    repeat_percent: u8,
    /// Some orders of a thousand are of this user, and ask only for this product if one is named: mallory=10@poison. Several
    /// may be given; an order carries one mark at most.
    #[arg(long, value_name = "USER=PER_MILLE[@PRODUCT]")]
    mark: Vec<Mark>,
    /// Decides what is ordered; keys are new in every run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Time for one attempt.
    #[arg(long, default_value = "10s", value_parser = duration::parse)]
    timeout: Duration,
    /// Time for one order; after it an order without a clear answer is counted as unknown.
    #[arg(long, default_value = "60s", value_parser = duration::parse)]
    give_up: Duration,
    /// Append every attempt to this file, one JSON line each.
    #[arg(long)]
    history: Option<PathBuf>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("write a number above 0, like 300".into()),
    }
}

pub async fn main() -> ExitCode {
    let args = Args::parse();
    match run(args).await {
        Ok(0) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// How many orders were accepted.
async fn run(args: Args) -> anyhow::Result<u64> {
    let progress = Progress::on_stderr();
    let interrupted = Arc::new(AtomicBool::new(false));
    let _signals = listen_for_signals(Arc::clone(&interrupted))?;
    let client = Client::new(&args.url, usize::from(args.connections), args.timeout)?;
    let catalogue = Catalogue {
        products: args.products as usize,
        scarce: args.scarce as usize,
        marked: args.mark.iter().filter_map(|mark| mark.product.clone()).collect(),
    };
    let patience = Patience { give_up: args.give_up };
    if let Some(stock) = args.stock {
        catalogue.seed(&client, stock, args.scarce_stock, &patience, &progress).await?;
    }
    let traffic = Traffic {
        client,
        catalogue,
        connections: usize::from(args.connections),
        pace: args.rate.map_or(Pace::Closed, |rate| Pace::Open { rate }),
        until: args.orders.map_or(Until::Elapsed(Duration::from_secs(args.seconds)), Until::Orders),
        patience,
        cancel_percent: args.cancel_percent,
        cancel_within: args.cancel_within,
        repeat_percent: args.repeat_percent,
        seed: args.seed,
        marks: args.mark,
        history: args.history.as_deref().map(HistoryWriter::append_to).transpose()?,
    };
    let summary = traffic.run(&progress, &interrupted).await?;
    drop(progress);
    if args.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        println!("{summary}");
    }
    Ok(summary.accepted)
}

/// The first Ctrl-C or SIGTERM lets the orders under way end; the next one ends the program.
fn listen_for_signals(interrupted: Arc<AtomicBool>) -> anyhow::Result<JoinSet<()>> {
    let mut interrupt =
        signal(SignalKind::interrupt()).context("could not listen for Ctrl-C: free some file handles")?;
    let mut terminate =
        signal(SignalKind::terminate()).context("could not listen for SIGTERM: free some file handles")?;
    let mut listener = JoinSet::new();
    listener.spawn(async move {
        loop {
            tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
            if interrupted.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            eprintln!("load: no further orders; waiting for those under way (once more to leave at once)");
        }
    });
    Ok(listener)
}
