use reqwest::StatusCode;
use serde_json::json;

use super::servers::{Restart, server};
use crate::support::{TestApp, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn with_kafka_stopped_orders_are_accepted_and_read_and_go_on_when_it_is_back() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1000).await;
    let mut orders = Vec::new();
    {
        let _restart = Restart("kafka");
        server("kafka", "stop");
        for _ in 0..20 {
            let id = app.place("mug", 1).await;
            app.until(id, "processing").await;
            orders.push(id);
        }
        eventually("/readyz says what is missing", async || {
            let answer: serde_json::Value = app.get("/readyz").await.json().await.ok()?;
            let findings = answer["findings"].as_array()?.clone();
            findings.iter().find(|finding| finding["name"] == "kafka" && finding["status"] != "ok").map(|_| ())
        })
        .await;
    }
    for id in &orders {
        app.until(*id, "confirmed").await;
    }
    assert_eq!(app.stock_of("mug").await, (980, 20, 0));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_postgres_stopped_callers_get_503_and_it_recovers_without_help() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1000).await;
    {
        let _restart = Restart("postgres");
        server("postgres", "stop");
        let body = json!({ "userId": "ada", "items": [{ "productId": "mug", "quantity": 1 }] });
        let answer = app.post("/v1/orders", &body).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key("retry-after"));
        assert_eq!(app.get("/readyz").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    let id = eventually("orders are accepted again", async || {
        let body = json!({ "userId": "ada", "items": [{ "productId": "mug", "quantity": 1 }] });
        let answer = app.http.post(format!("{}/v1/orders", app.url)).json(&body).send().await.ok()?;
        let answer: serde_json::Value = answer.json().await.ok()?;
        answer["orderId"].as_str()?.parse().ok()
    })
    .await;
    app.until(id, "confirmed").await;
    app.finish().await;
}
