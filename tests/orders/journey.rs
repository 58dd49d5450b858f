use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{TestApp, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_reserved_confirmed_shipped_and_delivered() {
    let app = TestApp::start().await;
    app.stock("mug", 1250, 10).await;
    let id = app.place("mug", 2).await;
    let order = app.until(id, "confirmed").await;
    assert_eq!(order["total"], json!({ "amount": 2500, "currency": "EUR" }));
    assert_eq!(app.stock_of("mug").await, (8, 2, 0));
    assert_eq!(app.post(&format!("/v1/orders/{id}/ship"), &json!({})).await.status(), StatusCode::ACCEPTED);
    eventually("the stock is shipped", async || (app.stock_of("mug").await == (8, 0, 2)).then_some(())).await;
    assert_eq!(app.post(&format!("/v1/orders/{id}/deliver"), &json!({})).await.status(), StatusCode::ACCEPTED);
    let order = app.until(id, "delivered").await;
    let story: Vec<&str> = order["timeline"].as_array().unwrap().iter().filter_map(|at| at["event"].as_str()).collect();
    assert_eq!(story, ["order.created", "order.confirmed", "order.shipped", "order.delivered"]);
    eventually("three notifications were requested", async || {
        (app.count("notification.requested").await == 3).then_some(())
    })
    .await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_beyond_stock_is_rejected_with_the_missing_lines() {
    let app = TestApp::start().await;
    app.stock("mug", 1250, 1).await;
    let id = app.place("mug", 3).await;
    let order = app.until(id, "rejected").await;
    assert_eq!(order["missing"], json!([{ "productId": "mug", "requested": 3, "available": 1 }]));
    assert_eq!(app.stock_of("mug").await, (1, 0, 0));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_gives_its_stock_back() {
    let app = TestApp::start().await;
    app.stock("mug", 1250, 5).await;
    let id = app.place("mug", 5).await;
    app.until(id, "confirmed").await;
    let answer = app.post(&format!("/v1/orders/{id}/cancel"), &json!({ "reason": "too late" })).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    eventually("the stock is back", async || (app.stock_of("mug").await == (5, 0, 0)).then_some(())).await;
    let again = app.post(&format!("/v1/orders/{id}/ship"), &json!({})).await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
    let problem: Value = again.json().await.unwrap();
    assert_eq!(problem["code"], "not_allowed");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_right_after_its_product_is_never_refused() {
    let app = TestApp::start().await;
    for n in 0..20 {
        app.stock(&format!("new-{n}"), 100, 1).await;
        app.place(&format!("new-{n}"), 1).await;
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn state_survives_a_graceful_stop_and_a_start() {
    let mut app = TestApp::start().await;
    app.stock("mug", 1250, 10).await;
    let id = app.place("mug", 2).await;
    app.until(id, "confirmed").await;
    app.signal("-TERM");
    app.ended().await;
    app.restart_with(&[]).await;
    app.until(id, "confirmed").await;
    assert_eq!(app.stock_of("mug").await, (8, 2, 0));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_listed_newest_first_page_by_page() {
    let app = TestApp::start().await;
    app.stock("mug", 1250, 100).await;
    let mut placed = Vec::new();
    for _ in 0..7 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
        placed.insert(0, id.to_string());
    }
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page: Value = app.get(&format!("/v1/orders?userId=ada&limit=3{cursor}")).await.json().await.unwrap();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        listed.extend(items.iter().map(|order| order["orderId"].as_str().unwrap().to_owned()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(listed, placed);
    app.finish().await;
}
