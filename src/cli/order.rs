//! `ordo order place|get|list|events`.

use std::process::ExitCode;
use std::str::FromStr;

use serde_json::{Value, json};

use super::client::Client;
use super::output;

/// What to do with orders.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Place an order.
    #[command(after_help = "Example: ordo order place --user ada --item mug=2 --item tea=1 --key cart-17")]
    Place {
        /// Who orders.
        #[arg(long)]
        user: String,
        /// Product and quantity; may be repeated.
        #[arg(long = "item", value_name = "PRODUCT=QUANTITY", required = true)]
        items: Vec<Item>,
        /// Idempotency key: the same key and content is the same order.
        #[arg(long)]
        key: Option<String>,
    },
    /// Show one order.
    #[command(after_help = "Example: ordo order get 0192f0c1-7c1e-7d6e-a4c1-0242ac120002 --at 1")]
    Get {
        /// Its id.
        id: String,
        /// As it was: a version of the order, such as 2, or a time, such as 2026-11-26T10:00:00Z.
        #[arg(long)]
        at: Option<String>,
    },
    /// List orders, newest first.
    #[command(after_help = "Example: ordo order list --user ada --status confirmed")]
    List {
        /// Only this customer's.
        #[arg(long)]
        user: Option<String>,
        /// Only those that stand there.
        #[arg(long)]
        status: Option<String>,
        /// Most orders to show.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Where the last page ended.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Everything that happened to one order.
    #[command(after_help = "Example: ordo order events 0192f0c1-7c1e-7d6e-a4c1-0242ac120002")]
    Events {
        /// Its id.
        id: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    product: String,
    quantity: u32,
}

impl FromStr for Item {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_once('=')
            .and_then(|(product, quantity)| {
                Some(Self { product: product.to_owned(), quantity: quantity.parse().ok()? })
            })
            .filter(|item| !item.product.is_empty())
            .ok_or_else(|| format!("{text:?} is not PRODUCT=QUANTITY, such as mug=2"))
    }
}

pub(super) async fn run(args: Args, json: bool) -> anyhow::Result<ExitCode> {
    let client = Client::rest()?;
    match args.verb {
        Verb::Place { user, items, key } => {
            let items: Vec<Value> =
                items.iter().map(|item| json!({ "productId": item.product, "quantity": item.quantity })).collect();
            let body = json!({ "userId": user, "items": items });
            let answer = client.post("/v1/orders", key.as_deref(), &body).await?;
            show(&answer, json, |answer| format!("{}  {}", text(&answer["orderId"]), text(&answer["status"])))?;
        }
        Verb::Get { id, at } => {
            let at: Vec<(&str, String)> = at.map(|at| ("at", at)).into_iter().collect();
            show(&client.get(&format!("/v1/orders/{id}"), &at).await?, json, order)?;
        }
        Verb::List { user, status, limit, cursor } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(user.map(|user| ("userId", user)));
            query.extend(status.map(|status| ("status", status)));
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            list(&client.get("/v1/orders", &query).await?, json)?;
        }
        Verb::Events { id } => events(&client.get(&format!("/v1/orders/{id}/events"), &[]).await?, json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(answer: &Value, json: bool, human: impl Fn(&Value) -> String) -> anyhow::Result<()> {
    if json {
        output::json(answer)
    } else {
        output::line(&human(answer));
        Ok(())
    }
}

fn list(answer: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(answer);
    }
    let orders = answer["items"].as_array().cloned().unwrap_or_default();
    output::table(
        ["order", "user", "status", "total", "created"],
        orders.iter().map(|order| {
            let total = format!("{} {}", text(&order["total"]["amount"]), text(&order["total"]["currency"]));
            let [id, user, status, created] =
                ["orderId", "userId", "status", "createdAt"].map(|field| text(&order[field]));
            [id, user, status, total, created]
        }),
    );
    if let Some(cursor) = answer["nextCursor"].as_str() {
        output::line(&format!("more: --cursor {cursor}"));
    }
    Ok(())
}

fn events(answer: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(answer);
    }
    let events = answer["events"].as_array().or_else(|| answer["items"].as_array()).cloned().unwrap_or_default();
    output::table(
        ["version", "event", "position", "recorded"],
        events.iter().map(|event| ["version", "type", "position", "recordedAt"].map(|field| text(&event[field]))),
    );
    Ok(())
}

fn order(answer: &Value) -> String {
    let mut lines = vec![format!(
        "{}  {}  {}  {} {}",
        text(&answer["orderId"]),
        text(&answer["userId"]),
        text(&answer["status"]),
        text(&answer["total"]["amount"]),
        text(&answer["total"]["currency"])
    )];
    for item in answer["items"].as_array().into_iter().flatten() {
        lines.push(format!("  {} x {}", text(&item["quantity"]), text(&item["productId"])));
    }
    for moment in answer["timeline"].as_array().into_iter().flatten() {
        lines.push(format!("  {}  {}", text(&moment["at"]), text(&moment["event"])));
    }
    lines.join("\n")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_product_and_quantity() {
        assert_eq!("mug=2".parse(), Ok(Item { product: "mug".into(), quantity: 2 }));
        for bad in ["mug", "mug=", "=2", "mug=-1", "mug=two"] {
            assert!(bad.parse::<Item>().is_err(), "{bad}");
        }
    }
}
