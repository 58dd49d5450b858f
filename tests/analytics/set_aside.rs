//! What analytics could not fold at once counts when it is taken up again: once, and with what it said.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestApp, eventually};

async fn place(app: &TestApp, user: &str) -> Uuid {
    let wish = json!({ "userId": user, "items": [{ "productId": "mug", "quantity": 2 }] });
    let answer: Value = app.post("/v1/orders", &wish).await.json().await.unwrap();
    let id = answer["orderId"].as_str().unwrap().parse().unwrap();
    app.until(id, "confirmed").await;
    id
}

/// Orders, confirmed ones, and what was spent.
async fn value_of(app: &TestApp, user: &str) -> Option<[i64; 3]> {
    let rows = app.figures("customers?currency=EUR").await;
    let row = rows.into_iter().find(|row| row["userId"] == user)?;
    Some(["orders", "confirmed", "spent"].map(|figure| row[figure].as_i64().unwrap()))
}

async fn until(app: &TestApp, user: &str, value: [i64; 3]) {
    eventually(&format!("{user} comes to {value:?}"), async || {
        value_of(app, user).await.filter(|found| *found == value)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_hold_up_nobody_and_count_when_they_are_replayed() {
    let mut app = TestApp::start().await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 50).await;
    app.fault(&json!({ "subscription": "analytics", "text": "mallory", "fault": "permanent" })).await;
    place(&app, "mallory").await;
    place(&app, "ada").await;
    until(&app, "ada", [1, 1, 200]).await;
    let letters = eventually("both of Mallory's events are letters", async || {
        let listed = app.operators("dlq?consumer=analytics").await;
        let letters = listed["letters"].as_array()?.iter().map(|letter| letter["letterId"].clone());
        Some(letters.collect::<Vec<_>>()).filter(|letters| letters.len() == 2)
    })
    .await;
    assert_eq!(value_of(&app, "mallory").await, None);

    app.fault(&json!({ "subscription": "analytics" })).await;
    let tried = app.operators(&format!("dlq/try?letterId={}", letters[0].as_str().unwrap())).await;
    let counts = "it would succeed, and count in customer_value, top_products, order_funnel, daily_revenue";
    assert_eq!(tried["sentence"], counts, "{tried}");
    assert_eq!(value_of(&app, "mallory").await, None, "a try changes nothing");
    // Behind one another or not, sums have no order.
    for letter in letters.iter().rev() {
        app.operate("dlq/replay", json!({ "letterIds": [letter] })).await;
    }
    until(&app, "mallory", [1, 1, 200]).await;
    let today = app.figures("revenue").await;
    assert_eq!(
        (&today[0]["placed"], &today[0]["confirmed"], &today[0]["revenue"]),
        (&json!(2), &json!(2), &json!(400))
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_parked_counts_once_it_works() {
    let app = TestApp::start_with(&[("ORDO_SUBSCRIPTION__PARKED_RETRIES", "3s 3s 3s")]).await;
    app.stock("mug", 100, 50).await;
    app.fault(&json!({ "subscription": "analytics", "text": "carol", "fault": "transient" })).await;
    let id = place(&app, "carol").await;
    eventually("both events of the order are parked", async || {
        let shown = app.operators("consumers/show?consumer=analytics").await;
        (shown["parked"]["events"] == 2).then_some(())
    })
    .await;
    assert_eq!(value_of(&app, "carol").await, None);
    app.fault(&json!({ "subscription": "analytics" })).await;
    until(&app, "carol", [1, 1, 200]).await;
    assert_eq!(app.post(&format!("/v1/orders/{id}/cancel"), &json!({})).await.status(), 202);
    until(&app, "carol", [1, 0, 0]).await;
    app.finish().await;
}
