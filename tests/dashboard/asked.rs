//! What the screens ask, held against Postgres.

use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{TestApp, eventually};

async fn asked(app: &TestApp, question: &str) -> Value {
    let answer = app.http.get(format!("{}/ops/v1/{question}", app.ops)).send().await.unwrap();
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    assert!(status.is_success(), "{question}: {body}");
    body
}

async fn shop_with_orders() -> (TestApp, Vec<uuid::Uuid>) {
    let app = TestApp::start().await;
    app.stock("mug", 1_250, 100).await;
    let mut orders = Vec::new();
    for _ in 0..7 {
        orders.push(app.place("mug", 1).await);
    }
    for order in &orders {
        app.until(*order, "confirmed").await;
    }
    // Until nothing more is appended for them: a message for each created and each confirmed.
    eventually("every message is asked for", async || (app.count("notification.requested").await == 14).then_some(()))
        .await;
    (app, orders)
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_told_newest_first_and_their_kinds_are_counted_as_the_log_has_them() {
    let (app, orders) = shop_with_orders().await;
    let answer = asked(&app, "events?type=order.confirmed&limit=5").await;
    let events = answer["events"].as_array().unwrap();
    assert_eq!(events.len(), 5);
    let times: Vec<&str> = events.iter().map(|event| event["recordedAt"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|left, right| left >= right), "{times:?}");
    let counted: Vec<(String, i64)> =
        sqlx::query_as("select event_type || ' v' || schema_version, count(*) from log group by 1 order by 2 desc, 1")
            .fetch_all(&app.database.db)
            .await
            .unwrap();
    let told: Vec<(String, i64)> = answer["kinds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| (kind["name"].as_str().unwrap().to_owned(), kind["events"].as_i64().unwrap()))
        .collect();
    assert_eq!(told, counted);

    let stream = asked(&app, &format!("events?stream=order:{}", orders[0])).await;
    let types: Vec<&str> =
        stream["events"].as_array().unwrap().iter().map(|event| event["eventType"].as_str().unwrap()).collect();
    assert_eq!(types, ["order.confirmed", "order.created"]);
    let story = stream["events"][0]["correlationId"].as_str().unwrap();
    let story = asked(&app, &format!("events?id={story}")).await;
    assert_eq!(story["events"].as_array().unwrap().len(), 5, "the whole story: {story}");
    let one = stream["events"][1]["eventId"].as_str().unwrap();
    assert_eq!(asked(&app, &format!("events?id={one}")).await["events"][0]["eventType"], "order.created");
    let nowhere = app.http.get(format!("{}/ops/v1/events?partition=99", app.ops)).send().await.unwrap();
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_holds_every_event_an_order_caused_and_what_each_reader_made_of_it() {
    let (app, orders) = shop_with_orders().await;
    let trace = eventually("every reader has come to everything", async || {
        let trace = asked(&app, &format!("orders/{}/trace", orders[0])).await;
        let is_done = |effect: &Value| effect["outcome"] == "applied";
        let mut events = trace["events"].as_array().unwrap().iter();
        events
            .all(|event| event["isPublished"] == true && event["effects"].as_array().unwrap().iter().all(is_done))
            .then_some(trace)
    })
    .await;
    let events = trace["events"].as_array().unwrap();
    let found = |kind: &str| events.iter().filter(|event| event["eventType"] == kind).collect::<Vec<_>>();
    assert_eq!(events.len(), 5, "{trace}");
    let (created, confirmed, reserved) =
        (found("order.created")[0], found("order.confirmed")[0], found("inventory.reserved")[0]);
    assert_eq!((&created["causedBy"], &reserved["causedBy"]), (&Value::Null, &created["eventId"]));
    assert_eq!(confirmed["causedBy"], reserved["eventId"]);
    let readers = |event: &Value| -> Vec<String> {
        event["effects"].as_array().unwrap().iter().map(|effect| effect["lane"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(readers(created), ["inventory", "notification", "analytics", "views"]);
    assert_eq!(readers(reserved), ["orders", "views"]);
    let statuses: Vec<&Value> =
        trace["states"].as_array().unwrap().iter().map(|state| &state["state"]["status"]).collect();
    assert_eq!(statuses, ["processing", "confirmed"]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_and_the_orders_are_told_as_postgres_has_them_page_by_page() {
    let (app, orders) = shop_with_orders().await;
    let relay = eventually("everything is published", async || {
        Some(asked(&app, "relay").await).filter(|relay| relay["behind"] == 0)
    })
    .await;
    let heads: Vec<(i16, i64)> = sqlx::query_as("select partition, position from log_head order by partition")
        .fetch_all(&app.database.db)
        .await
        .unwrap();
    let told: Vec<(i16, i64)> = relay["partitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|partition| {
            (i16::try_from(partition["partition"].as_i64().unwrap()).unwrap(), partition["published"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(told, heads);
    assert!(relay["partitions"].as_array().unwrap().iter().all(|partition| partition["isLed"] == true), "{relay}");

    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = asked(&app, &format!("orders?limit=3{after}")).await;
        seen.extend(
            page["orders"].as_array().unwrap().iter().map(|order| order["orderId"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={}", next.replace('+', "%2B"));
    }
    let expected: Vec<String> = orders.iter().rev().map(ToString::to_string).collect();
    assert_eq!(seen, expected, "newest first, each once");
    app.finish().await;
}
