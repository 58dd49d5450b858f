//! `ordo demo --trouble`: a shop in which something is the matter, for whoever wants to learn what operators see and do.
//!
//! Everything is done over REST and the operators' listener, by rules of the fault panel that are listed and can be cleared:
//! nothing is written past the system.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::{Args, fill_shop, order, outcomes};
use crate::cli::client::Client;
use crate::cli::output;
use crate::ops::questions::DEMONSTRATION;

/// Rules are read twice a second at most.
const RULES_ARE_READ: Duration = Duration::from_millis(1_500);
/// Orders before anything is the matter, a second and for how long.
const BEFORE: (u32, u32) = (60, 5);
/// What all of them buy.
const WANTED: &str = "biscuits-butter";

/// A customer whose orders fail, where and how.
struct Trouble {
    consumer: &'static str,
    kind: &'static str,
    user: &'static str,
    orders: usize,
    /// Whether each is cancelled, so that an event waits behind the one that fails.
    is_cancelled: bool,
}

const TROUBLES: &[Trouble] = &[
    Trouble { consumer: "inventory", kind: "poison", user: "demo-poison", orders: 5, is_cancelled: true },
    Trouble { consumer: "notification", kind: "permanent", user: "demo-permanent", orders: 4, is_cancelled: false },
    Trouble { consumer: "notification", kind: "panic", user: "demo-panic", orders: 3, is_cancelled: false },
    Trouble { consumer: "inventory", kind: "transient", user: "demo-parked", orders: 4, is_cancelled: false },
];

/// Makes it, one line a step, and leaves it so.
pub(super) async fn make(args: &Args) -> anyhow::Result<()> {
    let (rest, ops) = (Client::rest()?, Client::ops()?);
    let panel = ops.get("/ops/v1/faults", &[]).await?;
    if panel["isOn"] != json!(true) {
        bail!(
            "the fault panel is off; `make demo` starts the shop with it, or set ORDO_SUBSCRIPTION__FAULT_PANEL=true"
        );
    }
    fill_shop(&rest, args.seed).await?;
    let tally = order(&rest, args, BEFORE.0, Some(BEFORE.1)).await?;
    let decided = outcomes(&rest, &tally).await?;
    let moved = lives(&rest, &tally.accepted.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>()).await;
    output::line(&format!(
        "{} orders, {} confirmed, {moved} of them shipped, delivered or cancelled",
        tally.accepted.len(),
        decided.get("confirmed").unwrap_or(&0)
    ));
    for trouble in TROUBLES {
        let rule =
            json!({ "consumer": trouble.consumer, "kind": trouble.kind, "pointer": "/userId", "equals": trouble.user });
        act(&ops, "faults/set", rule).await?;
    }
    tokio::time::sleep(RULES_ARE_READ).await;
    for trouble in TROUBLES {
        for _ in 0..trouble.orders {
            let wish = json!({ "userId": trouble.user, "items": [{ "productId": WANTED, "quantity": 1 }] });
            let placed = rest.post("/v1/orders", None, &wish).await?;
            if let Some(id) = placed["orderId"].as_str().filter(|_| trouble.is_cancelled) {
                rest.post(&format!("/v1/orders/{id}/cancel"), None, &json!({ "reason": "takes too long" })).await?;
            }
        }
        output::line(&format!(
            "{} orders of {} fail in {} ({})",
            trouble.orders, trouble.user, trouble.consumer, trouble.kind
        ));
    }
    let again = read_again(&ops).await?;
    output::line(&format!("notification reads {again} records again, which it knows: duplicates"));
    let slow =
        json!({ "consumer": "analytics", "kind": "slow", "pointer": "/currency", "equals": "EUR", "millis": 1_500 });
    act(&ops, "faults/set", slow).await?;
    output::line("analytics takes 1.5 s for each order: it falls behind");
    match act(&ops, "projections/rebuild", json!({ "projection": "customer_orders", "workers": 1, "rate": 10 })).await {
        Ok(_) => output::line("customer_orders is rebuilt, slowly enough to be watched"),
        Err(refused) => output::line(&format!("customer_orders is not rebuilt: {refused:#}")),
    }
    let crash = json!({ "kind": "parked_worker", "times": 2 });
    match ops.act("/ops/v1/faults", &crash).await {
        Ok(_) => output::line("two parked workers crash, and are started again after a pause"),
        Err(_) => output::line("no actor crashes: that needs a build with crash points (make demo FAULTS=1)"),
    }
    Ok(())
}

/// Ships, delivers and cancels some of them; answers how many. One that cannot be is left as it is.
async fn lives(rest: &Client, orders: &[String]) -> usize {
    let mut moved = 0;
    for (number, order) in orders.iter().enumerate() {
        let steps: &[&str] = match number % 12 {
            0 | 6 => &["ship", "deliver"],
            1 | 7 => &["ship"],
            2 => &["cancel"],
            _ => &[],
        };
        let mut is_moved = false;
        for step in steps {
            is_moved |= rest.post(&format!("/v1/orders/{order}/{step}"), None, &json!({})).await.is_ok();
        }
        moved += usize::from(is_moved);
    }
    moved
}

/// Moves the consumer of messages back a little in each partition; answers how many records come again.
async fn read_again(ops: &Client) -> anyhow::Result<i64> {
    let shown = ops.get("/ops/v1/consumers/show", &[("consumer", "notification".to_owned())]).await?;
    let mut again = 0;
    for place in shown["partitions"].as_array().context("notification has partitions")? {
        let next = place["nextOffset"].as_i64().unwrap_or(0);
        if next < 6 {
            continue;
        }
        let to = json!({ "consumer": "notification", "topic": place["topic"], "partition": place["partition"], "offset": next - 5 });
        act(ops, "consumers/seek", to).await?;
        again += 5;
    }
    Ok(again)
}

async fn act(ops: &Client, path: &str, args: Value) -> anyhow::Result<Value> {
    ops.act(&format!("/ops/v1/{path}"), &json!({ "args": args, "reason": DEMONSTRATION })).await
}
