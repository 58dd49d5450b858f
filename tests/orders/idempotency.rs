use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

async fn place(app: &TestApp, url: &str, key: &str, quantity: u32) -> (StatusCode, Value, Option<String>) {
    let body = json!({ "userId": "ada", "items": [{ "productId": "mug", "quantity": quantity }] });
    let answer =
        app.http.post(format!("{url}/v1/orders")).header("idempotency-key", key).json(&body).send().await.unwrap();
    let position = answer.headers().get("ordo-position").and_then(|value| value.to_str().ok()).map(str::to_owned);
    (answer.status(), answer.json().await.unwrap(), position)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_and_content_is_the_same_order_whatever_became_of_it() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 10).await;
    let first = place(&app, &app.url, "k1", 2).await;
    assert_eq!(first.0, StatusCode::ACCEPTED);
    app.until(first.1["orderId"].as_str().unwrap().parse().unwrap(), "confirmed").await;
    let second = place(&app, &app.url, "k1", 2).await;
    assert_eq!(first, second);
    let other = place(&app, &app.url, "k1", 3).await;
    assert_eq!(other.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(app.count("order.created").await, 1);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_at_once_make_one_order_of_one_key() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 1000).await;
    let other = app.second_node("http").await;
    for n in 0..30 {
        let key = format!("race-{n}");
        let (a, b) = tokio::join!(place(&app, &app.url, &key, 1), place(&app, &other.url, &key, 1));
        assert_eq!((a.0, b.0), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
        assert_eq!(a.1["orderId"], b.1["orderId"]);
        assert_eq!(a.2, b.2, "both answers name the same position");
    }
    assert_eq!(app.count("order.created").await, 30);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_holds_across_a_kill_between_commit_and_answer() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 10).await;
    app.kill().await;
    app.restart_with(&[("ORDO_CRASH_AT", "writer.committed@1")]).await;
    let body = json!({ "userId": "ada", "items": [{ "productId": "mug", "quantity": 1 }] });
    let request = app.http.post(format!("{}/v1/orders", app.url)).header("idempotency-key", "cut").json(&body);
    assert!(request.send().await.is_err(), "the process ends between commit and answer");
    app.ended().await;
    app.restart_with(&[]).await;
    let (status, answer, _) = place(&app, &app.url, "cut", 1).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(app.count("order.created").await, 1);
    app.until(answer["orderId"].as_str().unwrap().parse().unwrap(), "confirmed").await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_with_the_same_key_counts_once() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 10).await;
    for _ in 0..3 {
        let request = app.http.post(format!("{}/v1/inventory/mug/receipts", app.url)).header("idempotency-key", "r1");
        assert_eq!(request.json(&json!({ "quantity": 5 })).send().await.unwrap().status(), StatusCode::CREATED);
    }
    assert_eq!(app.stock_of("mug").await, (15, 0, 0));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_posted_again_answers_as_before_and_other_content_conflicts() {
    let app = TestApp::start().await;
    let product =
        |price: u32| json!({ "productId": "mug", "name": "Mug", "price": { "amount": price, "currency": "EUR" } });
    assert_eq!(app.post("/v1/products", &product(100)).await.status(), StatusCode::CREATED);
    assert!(app.post("/v1/products", &product(100)).await.status().is_success());
    let other = app.post("/v1/products", &product(200)).await;
    assert_eq!(other.status(), StatusCode::CONFLICT);
    let problem: Value = other.json().await.unwrap();
    assert_eq!(problem["code"], "product_exists");
    app.finish().await;
}
