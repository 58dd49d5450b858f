use serde_json::{Value, json};

use crate::support::TestApp;

/// Body, status, code. Nothing of it may be appended.
fn table() -> Vec<(String, u16, &'static str)> {
    let order = |items: Value| json!({ "userId": "ada", "items": items }).to_string();
    let lines = |n: usize| (0..n).map(|_| json!({ "productId": "mug", "quantity": 1 })).collect::<Vec<_>>();
    vec![
        ("{".to_owned(), 400, "malformed_json"),
        (json!({ "userId": "ada", "items": "mug" }).to_string(), 422, ""),
        (json!({ "userId": "ada", "items": lines(1), "price": 1 }).to_string(), 422, ""),
        (order(json!([])), 422, ""),
        (order(json!(lines(501))), 422, ""),
        (order(json!([{ "productId": "mug", "quantity": -1 }])), 422, ""),
        (order(json!([{ "productId": "mug", "quantity": 0 }])), 422, ""),
        (order(json!([{ "productId": "mug", "quantity": 1_000_001 }])), 422, ""),
        (order(json!([{ "productId": "mug", "quantity": 9_999_999_999_u64 }])), 422, ""),
        (order(json!([{ "productId": "no such", "quantity": 1 }])), 422, ""),
        (order(json!([{ "productId": "ghost", "quantity": 1 }])), 422, "unknown_product"),
        (
            order(json!([{ "productId": "mug", "quantity": 1 }, { "productId": "dollar", "quantity": 1 }])),
            422,
            "mixed_currency",
        ),
        (json!({ "items": lines(1) }).to_string(), 422, ""),
        (json!({ "userId": "", "items": lines(1) }).to_string(), 422, ""),
        (format!("{{\"userId\":\"{}\"}}", "x".repeat(300 * 1024)), 413, ""),
        // An array in the place of an object, its values in the order of the fields.
        (json!(["ada", [["mug", 1]]]).to_string(), 422, ""),
        (json!(["ada", [{ "productId": "mug", "quantity": 1 }]]).to_string(), 422, ""),
        (order(json!([["mug", 1]])), 422, ""),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_orders_are_refused_in_clear_words_and_nothing_is_appended() {
    let app = TestApp::start().await;
    app.stock("mug", 1250, 10).await;
    let dollar = json!({ "productId": "dollar", "name": "Dollar", "price": { "amount": 1, "currency": "USD" } });
    app.post("/v1/products", &dollar).await;
    let before: i64 = sqlx::query_scalar("select count(*) from log").fetch_one(&app.database.db).await.unwrap();
    for (body, status, code) in table() {
        let shown: String = body.chars().take(120).collect();
        let request = app.http.post(format!("{}/v1/orders", app.url)).header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap();
        let found = answer.status().as_u16();
        assert!(found == status || (status == 422 && found == 400), "{shown}: {found} instead of {status}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{shown}");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].is_string() && problem["code"].is_string(), "{shown}: {problem}");
        if !code.is_empty() {
            assert_eq!(problem["code"], code, "{shown}");
        }
    }
    for (path, body) in [
        ("/v1/inventory/mug/receipts", json!([7])),
        ("/v1/products", json!(["cup", "Cup", { "amount": 1, "currency": "EUR" }])),
        ("/v1/products", json!({ "productId": "cup", "name": "Cup", "price": [1, "EUR"] })),
    ] {
        let answer = app.post(path, &body).await;
        assert_eq!(answer.status().as_u16(), 422, "{path} {body}");
    }
    let after: i64 = sqlx::query_scalar("select count(*) from log").fetch_one(&app.database.db).await.unwrap();
    assert_eq!(before, after);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_paths_ids_and_cursors_are_client_errors() {
    let app = TestApp::start().await;
    for (path, status) in [
        ("/v1/orders/not-an-id", 400),
        ("/v1/orders/0192f0c1-7c1e-7d6e-a4c1-0242ac120002", 404),
        ("/v1/orders?cursor=zzz", 400),
        ("/v1/orders?limit=0", 400),
        ("/v1/orders?limit=100000", 400),
        ("/v1/orders?colour=red", 400),
        ("/v1/products/ghost", 404),
        ("/v1/inventory/ghost", 404),
        ("/v1/nothing", 404),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_product_twice_in_one_order_is_merged() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 10).await;
    let body = json!({ "userId": "ada", "items": [
        { "productId": "mug", "quantity": 1 }, { "productId": "mug", "quantity": 2 },
    ] });
    let answer: Value = app.post("/v1/orders", &body).await.json().await.unwrap();
    let order = app.until(answer["orderId"].as_str().unwrap().parse().unwrap(), "confirmed").await;
    assert_eq!(order["items"].as_array().unwrap().len(), 1);
    assert_eq!(order["items"][0]["quantity"], 3);
    app.finish().await;
}
