use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{TestApp, eventually, is_frozen};

/// A consumer that stalls between its append and its commit holds a head of the log, and so acceptance; Postgres ends its
/// transaction, and what it was doing is done by its successor.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_frozen_after_its_append_stops_acceptance_for_three_seconds_at_most() {
    let mut app = TestApp::start_roles("http,relay,orders,notification,views").await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1000).await;
    let inventory = app.second_node_with("inventory", &[("ORDO_STOP_AT", "pass.appended@1")]).await;
    let first = app.place("mug", 1).await;
    eventually("inventory is frozen", async || is_frozen(inventory.pid()).then_some(())).await;
    let frozen = Instant::now();
    let body = json!({ "userId": "ada", "items": [{ "productId": "mug", "quantity": 1 }] });
    let mut accepted = Vec::new();
    // Both partitions, the one whose head is held among them.
    while accepted.len() < 8 {
        let answer = app.http.post(format!("{}/v1/orders", app.url)).json(&body).send().await.unwrap();
        if answer.status().is_success() {
            let answer: serde_json::Value = answer.json().await.unwrap();
            accepted.push(answer["orderId"].as_str().unwrap().parse().unwrap());
        }
    }
    assert!(frozen.elapsed() < Duration::from_secs(3), "acceptance stood still for {:?}", frozen.elapsed());
    assert!(Command::new("kill").args(["-CONT", &inventory.pid().to_string()]).status().unwrap().success());
    for order in std::iter::once(first).chain(accepted) {
        app.until(order, "confirmed").await;
    }
    assert_eq!(app.stock_of("mug").await, (991, 9, 0));
    app.finish().await;
}
