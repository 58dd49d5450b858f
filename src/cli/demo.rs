//! `ordo demo`: a believable catalogue with stock, then orders at a steady rate, with a progress line and a summary. With
//! `--trouble` things are the matter first. Or, with `--events`, a past written straight into an empty log.

mod trouble;

use std::collections::BTreeMap;
use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use super::client::Client;
use super::output;
use crate::app;
use crate::app::demo::{CATALOGUE, Filled, Goods, Past};
use crate::config::{Config, ConfigError};

/// Options of `ordo demo`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: ordo demo --rate 50 --seconds 30\n          ordo demo --trouble\n          ordo demo --events 1000000 --days 90"
)]
pub(super) struct Args {
    /// Orders a second, 1 to 1,000: 20, or 3 after `--trouble`.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: Option<u32>,
    /// For how long: 30, or until it is interrupted after `--trouble`.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: Option<u32>,
    /// First lets things be the matter: letters of three kinds, parked streams, a slow consumer, duplicates, a rebuild under
    /// way. Needs the fault panel; `ordo faults clear` ends it.
    #[arg(long, conflicts_with = "events")]
    trouble: bool,
    /// The same seed orders the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Instead of ordering: so many events of a past that ends now, written into the empty log that DATABASE_URL names.
    #[arg(long, value_name = "N", conflicts_with_all = ["rate", "seconds"],
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    events: Option<u64>,
    /// Days that past goes back.
    #[arg(long, default_value_t = 30, requires = "events", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
}

/// What became of the orders.
#[derive(Debug, Default)]
struct Tally {
    accepted: Vec<(String, Duration)>,
    refused: BTreeMap<String, u64>,
}

pub(super) async fn run(
    config: impl FnOnce() -> Result<Config, ConfigError>,
    args: Args,
    json: bool,
) -> anyhow::Result<ExitCode> {
    match args.events {
        Some(events) => fill(&config()?, Past { events, days: args.days, seed: args.seed }, json).await,
        None => {
            if args.trouble {
                // Whoever listens for Ctrl-C once is no longer ended by it, so it is listened to all the time.
                tokio::select! {
                    made = trouble::make(&args) => made?,
                    _ = tokio::signal::ctrl_c() => bail!("interrupted; `ordo faults clear` ends the trouble there is so far"),
                }
            }
            order_now(&args, json).await
        }
    }
}

async fn fill(config: &Config, past: Past, json: bool) -> anyhow::Result<ExitCode> {
    let progress = ProgressBar::new(past.events);
    progress.set_style(ProgressStyle::with_template("{bar:30} {pos} of {len} events, {per_sec}, {eta} left")?);
    let filled = app::demo::fill(&config.postgres, past, |written| progress.set_position(written)).await;
    progress.finish_and_clear();
    let Filled { events, orders, took } = filled?;
    if json {
        output::json(&json!({ "events": events, "orders": orders, "days": past.days, "seconds": took.as_secs_f64() }))?;
    } else {
        let rate = events as f64 / took.as_secs_f64();
        output::line(&format!(
            "{events} events of {orders} orders over {} days, written in {took:.1?} ({rate:.0} a second)",
            past.days
        ));
        output::line("Next: `ordo serve` reads them; `ordo projections list` shows how far each view is");
    }
    Ok(ExitCode::SUCCESS)
}

async fn order_now(args: &Args, json: bool) -> anyhow::Result<ExitCode> {
    let client = Client::rest()?;
    fill_shop(&client, args.seed).await?;
    let (rate, seconds) = match args.trouble {
        true => (args.rate.unwrap_or(3), args.seconds),
        false => (args.rate.unwrap_or(20), Some(args.seconds.unwrap_or(30))),
    };
    if seconds.is_none() {
        output::line(&format!("{rate} orders a second follow, until Ctrl-C ends them; the shop stays as it is"));
    }
    let tally = order(&client, args, rate, seconds).await?;
    let outcomes = tokio::select! {
        outcomes = outcomes(&client, &tally) => outcomes?,
        _ = tokio::signal::ctrl_c() => bail!("interrupted before all orders were decided; they go on by themselves"),
    };
    let mut latencies: Vec<Duration> = tally.accepted.iter().map(|(_, took)| *took).collect();
    latencies.sort_unstable();
    let at = |share: usize| latencies.get(latencies.len() * share / 100).copied().unwrap_or_default();
    if json {
        output::json(&json!({
            "accepted": tally.accepted.len(), "refused": tally.refused, "outcomes": outcomes,
            "acceptMs": { "p50": at(50).as_secs_f64() * 1e3, "p99": at(99).as_secs_f64() * 1e3 },
        }))?;
    } else {
        output::line(&format!("{} orders accepted, p50 {:.1?}, p99 {:.1?}", tally.accepted.len(), at(50), at(99)));
        outcomes.iter().for_each(|(status, count)| output::line(&format!("  {count:>6} {status}")));
        tally.refused.iter().for_each(|(why, count)| output::line(&format!("  {count:>6} refused: {why}")));
    }
    Ok(ExitCode::SUCCESS)
}

/// Products and first receipts; repeated, it changes nothing.
async fn fill_shop(client: &Client, seed: u64) -> anyhow::Result<()> {
    let progress = ProgressBar::new(CATALOGUE.len() as u64);
    progress.set_style(ProgressStyle::with_template("filling the shop {bar:30} {pos}/{len}")?);
    for Goods { id, name, price, stock } in CATALOGUE {
        let product = json!({ "productId": id, "name": name, "price": { "amount": price, "currency": "EUR" } });
        client.post("/v1/products", None, &product).await?;
        let key = format!("demo-{seed}-{id}");
        client.post(&format!("/v1/inventory/{id}/receipts"), Some(&key), &json!({ "quantity": stock })).await?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

/// Orders at that rate for so many seconds, or until Ctrl-C.
async fn order(client: &Client, args: &Args, rate: u32, seconds: Option<u32>) -> anyhow::Result<Tally> {
    let total = seconds.map_or(u64::MAX, |seconds| u64::from(rate) * u64::from(seconds));
    let progress = if seconds.is_some() { ProgressBar::new(total) } else { ProgressBar::new_spinner() };
    let bar =
        if seconds.is_some() { "ordering {bar:30} {pos}/{len} {per_sec} {msg}" } else { "ordering {spinner} {pos}" };
    progress.set_style(ProgressStyle::with_template(bar)?);
    let mut random = SmallRng::seed_from_u64(args.seed);
    let mut ticks = interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut underway = FuturesUnordered::new();
    let mut tally = Tally::default();
    let (mut sent, mut total) = (0, total);
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    let mut is_interrupted = false;
    while sent < total || !underway.is_empty() {
        tokio::select! {
            _ = &mut interrupted, if !is_interrupted => (total, is_interrupted) = (sent, true),
            _ = ticks.tick(), if sent < total => {
                sent += 1;
                let body = cart(&mut random);
                underway.push(async move {
                    let began = Instant::now();
                    (client.post("/v1/orders", None, &body).await, began.elapsed())
                });
            }
            Some((answer, took)) = underway.next() => {
                progress.inc(1);
                match answer {
                    Ok(answer) => tally.accepted.push((answer["orderId"].as_str().unwrap_or_default().to_owned(), took)),
                    Err(error) => *tally.refused.entry(format!("{error:#}")).or_default() += 1,
                }
            }
        }
    }
    progress.finish_and_clear();
    Ok(tally)
}

/// One to three products; few customers buy much.
fn cart(random: &mut SmallRng) -> Value {
    let lines = random.random_range(1..=3);
    let items: Vec<Value> = (0..lines)
        .map(|_| {
            let product = CATALOGUE[random.random_range(0..CATALOGUE.len())].id;
            json!({ "productId": product, "quantity": random.random_range(1..=3) })
        })
        .collect();
    json!({ "userId": format!("customer-{}", random.random_range(1..500)), "items": items })
}

/// Waits until none of these orders is `processing` any more, at most 30 s, and counts how they ended.
async fn outcomes(client: &Client, tally: &Tally) -> anyhow::Result<BTreeMap<String, u64>> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut outcomes = BTreeMap::new();
    for (order, _) in &tally.accepted {
        let status = loop {
            let answer = client.get(&format!("/v1/orders/{order}"), &[]).await?;
            let status = answer["status"].as_str().unwrap_or("unknown").to_owned();
            if status != "processing" || Instant::now() > deadline {
                break status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        *outcomes.entry(status).or_default() += 1;
    }
    Ok(outcomes)
}
