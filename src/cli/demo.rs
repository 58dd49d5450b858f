//! `ordo demo`: a believable catalogue with stock, then orders at a steady rate, with a progress line and a summary.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use super::client::Client;
use super::output;

/// Name, price in cents, stock to begin with; the last ones run out.
const CATALOGUE: &[(&str, &str, u32, u32)] = &[
    ("mug-blue", "Blue mug", 1250, 5_000),
    ("mug-white", "White mug", 1150, 5_000),
    ("teapot-iron", "Cast iron teapot", 5900, 2_000),
    ("teapot-glass", "Glass teapot", 3450, 2_000),
    ("tea-assam", "Assam, 100 g", 899, 20_000),
    ("tea-darjeeling", "Darjeeling first flush, 100 g", 1790, 10_000),
    ("tea-sencha", "Sencha, 100 g", 1250, 10_000),
    ("tea-earl-grey", "Earl Grey, 100 g", 799, 20_000),
    ("coffee-house", "House blend, 250 g", 950, 20_000),
    ("coffee-decaf", "Decaf, 250 g", 1050, 8_000),
    ("grinder-hand", "Hand grinder", 4990, 1_000),
    ("kettle-gooseneck", "Gooseneck kettle", 6490, 1_000),
    ("filter-paper", "Paper filters, 100", 420, 50_000),
    ("honey-acacia", "Acacia honey, 250 g", 690, 6_000),
    ("biscuits-butter", "Butter biscuits", 380, 30_000),
    ("jam-apricot", "Apricot jam", 520, 8_000),
    ("tray-oak", "Oak tray", 3900, 800),
    ("spoon-silver", "Tea spoon", 1490, 4_000),
    ("towel-linen", "Linen towel", 1690, 4_000),
    ("candle-bees", "Beeswax candle", 1290, 6_000),
    ("cup-limited", "Cup of the year, numbered", 8900, 40),
    ("tea-gyokuro", "Gyokuro, first pick, 50 g", 4200, 60),
];

/// Options of `ordo demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: ordo demo --rate 50 --seconds 30")]
pub(super) struct Args {
    /// Orders a second, 1 to 1,000.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// For how long.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// The same seed orders the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What became of the orders.
#[derive(Debug, Default)]
struct Tally {
    accepted: Vec<(String, Duration)>,
    refused: BTreeMap<String, u64>,
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<ExitCode> {
    let client = Client::rest()?;
    fill_shop(&client, args.seed).await?;
    let tally = order(&client, &args).await?;
    let outcomes = outcomes(&client, &tally).await?;
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
    for (id, name, price, stock) in CATALOGUE {
        let product = json!({ "productId": id, "name": name, "price": { "amount": price, "currency": "EUR" } });
        client.post("/v1/products", None, &product).await?;
        let key = format!("demo-{seed}-{id}");
        client.post(&format!("/v1/inventory/{id}/receipts"), Some(&key), &json!({ "quantity": stock })).await?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

async fn order(client: &Client, args: &Args) -> anyhow::Result<Tally> {
    let total = u64::from(args.rate) * u64::from(args.seconds);
    let progress = ProgressBar::new(total);
    progress.set_style(ProgressStyle::with_template("ordering {bar:30} {pos}/{len} {per_sec} {msg}")?);
    let mut random = SmallRng::seed_from_u64(args.seed);
    let mut ticks = interval(Duration::from_secs(1) / args.rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut underway = FuturesUnordered::new();
    let mut tally = Tally::default();
    let mut sent = 0;
    while sent < total || !underway.is_empty() {
        tokio::select! {
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
            let product = CATALOGUE[random.random_range(0..CATALOGUE.len())].0;
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
