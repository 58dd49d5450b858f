//! `ordo analytics revenue|top-products|funnel|customers`.

use std::process::ExitCode;

use super::client::Client;
use super::output;

/// What to show of the figures.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// How to show it, where not as a table.
#[derive(Debug, clap::Args)]
struct Shown {
    /// Print CSV with a heading.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// UTC days.
#[derive(Debug, clap::Args)]
struct Days {
    /// The first UTC day, such as 2026-11-01; 29 days before the last if left out.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The last UTC day; today if left out.
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// What each UTC day came to, by currency.
    #[command(after_help = "Example: ordo analytics revenue --from 2026-11-01 --to 2026-11-30 --currency EUR --csv")]
    Revenue {
        #[command(flatten)]
        days: Days,
        /// Only this currency.
        #[arg(long)]
        currency: Option<String>,
        #[command(flatten)]
        shown: Shown,
    },
    /// What was sold most.
    #[command(after_help = "Example: ordo analytics top-products --by pieces --limit 10")]
    TopProducts {
        /// What counts: revenue, pieces or orders.
        #[arg(long, default_value = "revenue")]
        by: String,
        /// Most products to show.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Only this currency.
        #[arg(long)]
        currency: Option<String>,
        #[command(flatten)]
        shown: Shown,
    },
    /// How far the orders placed on each UTC day have come, and how fast.
    #[command(after_help = "Example: ordo analytics funnel --from 2026-11-20 --json")]
    Funnel {
        #[command(flatten)]
        days: Days,
        #[command(flatten)]
        shown: Shown,
    },
    /// Who has spent most.
    #[command(after_help = "Example: ordo analytics customers --limit 10 --currency EUR")]
    Customers {
        /// Most customers to show.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Only this currency.
        #[arg(long)]
        currency: Option<String>,
        #[command(flatten)]
        shown: Shown,
    },
}

/// What a verb asks for, and its tables: the columns of each as JSON pointers.
struct Asked {
    path: &'static str,
    query: Vec<(&'static str, String)>,
    tables: &'static [&'static [&'static str]],
    csv: bool,
}

impl Verb {
    fn asked(self) -> Asked {
        let named = |name: &'static str, value: Option<String>| value.map(|value| (name, value));
        match self {
            Self::Revenue { days, currency, shown } => Asked {
                path: "revenue",
                query: [named("from", days.from), named("to", days.to), named("currency", currency)]
                    .into_iter()
                    .flatten()
                    .collect(),
                tables: &[&["/day", "/currency", "/placed", "/confirmed", "/rejected", "/cancelled", "/revenue"]],
                csv: shown.csv,
            },
            Self::TopProducts { by, limit, currency, shown } => Asked {
                path: "top-products",
                query: [Some(("by", by)), Some(("limit", limit.to_string())), named("currency", currency)]
                    .into_iter()
                    .flatten()
                    .collect(),
                tables: &[&["/productId", "/currency", "/orders", "/pieces", "/revenue"]],
                csv: shown.csv,
            },
            Self::Funnel { days, shown } => Asked {
                path: "funnel",
                query: [named("from", days.from), named("to", days.to)].into_iter().flatten().collect(),
                tables: &[REACHED, CONFIRMED, SHIPPED],
                csv: shown.csv,
            },
            Self::Customers { limit, currency, shown } => Asked {
                path: "customers",
                query: [Some(("limit", limit.to_string())), named("currency", currency)]
                    .into_iter()
                    .flatten()
                    .collect(),
                tables: &[&[
                    "/userId",
                    "/currency",
                    "/orders",
                    "/confirmed",
                    "/spent",
                    "/firstOrderAt",
                    "/lastOrderAt",
                ]],
                csv: shown.csv,
            },
        }
    }
}

/// How far orders have come; a line of all the funnel has would be too long for a terminal.
const REACHED: &[&str] = &["/day", "/placed", "/confirmed", "/rejected", "/cancelled", "/shipped", "/delivered"];
/// How fast they were confirmed.
const CONFIRMED: &[&str] =
    &["/day", "/confirmedIn100ms", "/confirmedIn1s", "/confirmedIn10s", "/confirmedIn1min", "/confirmedLater"];
/// How fast they were shipped.
const SHIPPED: &[&str] = &["/day", "/shippedIn1h", "/shippedIn1d", "/shippedIn3d", "/shippedLater"];

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<ExitCode> {
    let client = Client::rest()?;
    let Asked { path, mut query, tables, csv } = args.verb.asked();
    let path = format!("/v1/analytics/{path}");
    if csv {
        query.push(("format", "csv".to_owned()));
        output::line(client.text(&path, &query).await?.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let answer = client.get(&path, &query).await?;
    if json {
        output::json(&answer)?;
    } else {
        let rows = answer["items"].as_array().map_or(&[][..], Vec::as_slice);
        let tables = if rows.is_empty() { &tables[..1] } else { tables };
        tables.iter().for_each(|columns| output::rows(rows, columns));
    }
    Ok(ExitCode::SUCCESS)
}
