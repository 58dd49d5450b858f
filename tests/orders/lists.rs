//! A customer's orders, and who is told about one of them.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestApp, eventually};

async fn place(app: &TestApp, user: &str, product: &str, quantity: u32) -> Uuid {
    let wish = json!({ "userId": user, "items": [{ "productId": product, "quantity": quantity }] });
    let answer: Value = app.post("/v1/orders", &wish).await.json().await.unwrap();
    answer["orderId"].as_str().unwrap().parse().unwrap()
}

async fn page(app: &TestApp, user: &str, query: &str) -> Value {
    app.get(&format!("/v1/customers/{user}/orders?{query}")).await.json().await.unwrap()
}

async fn ids(app: &TestApp, query: &str) -> Vec<String> {
    let page = page(app, "ada", query).await;
    let items = page["items"].as_array().unwrap_or_else(|| panic!("{query}: {page}"));
    items.iter().map(|order| order["orderId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_orders_are_filtered_and_walked_newest_first() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 10).await;
    let dear = json!({ "productId": "dear", "name": "dear", "price": { "amount": 9_000, "currency": "USD" } });
    assert_eq!(app.post("/v1/products", &dear).await.status(), 201);
    let mut placed = Vec::new();
    for (product, quantity) in [("mug", 1), ("mug", 2), ("mug", 99), ("dear", 1), ("mug", 3)] {
        placed.insert(0, place(&app, "ada", product, quantity).await.to_string());
    }
    place(&app, "bob", "mug", 1).await;
    let all = eventually("every order has its outcome", async || {
        let page = page(&app, "ada", "limit=200").await;
        let items = page["items"].as_array()?.clone();
        (items.len() == 5 && items.iter().all(|order| order["status"] != "processing")).then_some(items)
    })
    .await;
    let [newest, .., oldest] = all.as_slice() else { unreachable!() };
    assert_eq!(oldest["total"], json!({ "amount": 100, "currency": "EUR" }));
    assert_eq!((&newest["lines"], &newest["pieces"], &newest["version"]), (&json!(1), &json!(3), &json!(2)));

    let (mut walked, mut cursor) = (Vec::new(), String::new());
    while walked.len() < 9 {
        let page = page(&app, "ada", &format!("limit=2{cursor}")).await;
        walked.extend(
            page["items"].as_array().unwrap().iter().map(|order| order["orderId"].as_str().unwrap().to_owned()),
        );
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(walked, placed);
    assert_eq!(ids(&app, "status=rejected").await, [placed[1].clone(), placed[2].clone()]);
    assert_eq!(ids(&app, "minTotal=200&currency=EUR").await, [&placed[0], &placed[2], &placed[3]].map(String::clone));
    assert_eq!(ids(&app, "minTotal=200&currency=EUR&status=confirmed").await, [placed[0].clone(), placed[3].clone()]);
    let second = all[3]["placedAt"].as_str().unwrap();
    assert_eq!(ids(&app, &format!("from={second}")).await, placed[..4]);
    assert_eq!(ids(&app, &format!("to={second}")).await, placed[4..]);
    assert_eq!(page(&app, "nobody", "").await, json!({ "items": [], "nextCursor": null }));
    for (query, code) in [
        ("minTotal=200", "bad_query"),
        ("minTotal=-1&currency=EUR", "bad_query"),
        ("status=lost", "bad_query"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "bad_query"),
        ("from=2026-01-02", "bad_query"),
        ("limit=0", "bad_query"),
        ("userId=bob", "bad_query"),
        ("cursor=x", "bad_cursor"),
    ] {
        assert_eq!(page(&app, "ada", query).await["code"], code, "{query}");
    }
    assert_eq!(page(&app, "a%20b", "").await["code"], "bad_id");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_shows_who_is_told_what_about_it() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 10).await;
    let id = app.place("mug", 1).await;
    let told = eventually("two notifications are requested", async || {
        let told: Value = app.get(&format!("/v1/orders/{id}/notifications")).await.json().await.ok()?;
        let items = told["items"].as_array()?.clone();
        (items.len() == 2).then_some(items)
    })
    .await;
    let templates: Vec<&str> = told.iter().map(|one| one["template"].as_str().unwrap()).collect();
    assert_eq!(templates, ["order_created", "order_confirmed"]);
    assert!(told.iter().all(|one| one["state"] == "requested" && one["userId"] == "ada"), "{told:?}");
    assert!(told.iter().all(|one| one["requestedAt"].is_string()), "{told:?}");
    let unknown = app.get(&format!("/v1/orders/{}/notifications", Uuid::nil())).await;
    assert_eq!(
        (unknown.status().as_u16(), unknown.json::<Value>().await.unwrap()["code"].clone()),
        (404, json!("order_not_found"))
    );
    app.finish().await;
}
