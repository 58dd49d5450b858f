//! Read models made anew while they are read and written.

mod crashes;
mod figures;
mod operated;
mod rebuilt;

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestApp, eventually};

/// Small pieces, so that a small log has many.
pub const SMALL: &[(&str, &str)] = &[("ORDO_READ_MODEL__PIECE_EVENTS", "100")];

async fn act(app: &TestApp, verb: &str, args: Value) -> (StatusCode, Value) {
    let body = json!({ "args": args, "reason": "a test" });
    let answer = app.http.post(format!("{}/ops/v1/projections/{verb}", app.ops)).json(&body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

pub async fn done(app: &TestApp, verb: &str, args: Value) -> Value {
    let (status, answer) = act(app, verb, args).await;
    assert!(status.is_success(), "{verb}: {answer}");
    answer["outcome"].clone()
}

/// Starts a rebuild as fast as can be.
pub async fn rebuild(app: &TestApp, name: &str) -> String {
    rebuild_at(app, name, 0).await
}

/// The same at so many events a second.
pub async fn rebuild_at(app: &TestApp, name: &str, rate: u32) -> String {
    let outcome = eventually("a rebuild can be started", async || {
        // A process that has just started has not said yet what it can fold.
        let (status, answer) = act(app, "rebuild", json!({ "projection": name, "rate": rate, "workers": 2 })).await;
        assert!(status.is_success() || status == StatusCode::CONFLICT, "{answer}");
        status.is_success().then(|| answer["outcome"].clone())
    })
    .await;
    outcome["version"].as_str().unwrap().to_owned()
}

async fn versions(app: &TestApp, name: &str) -> Option<Vec<Value>> {
    let answer = app.http.get(format!("{}/ops/v1/projections/{name}", app.ops)).send().await.ok()?;
    let answer: Value = answer.json().await.ok()?;
    answer["versions"].as_array().cloned()
}

async fn version(app: &TestApp, name: &str, version: &str) -> Option<Value> {
    versions(app, name).await?.into_iter().find(|known| known["version"] == version)
}

/// Until it is compared; answers with what was found.
pub async fn ready(app: &TestApp, name: &str, wanted: &str) -> Value {
    eventually(&format!("version {wanted} of {name} is ready"), async || {
        let version = version(app, name, wanted).await?;
        assert_ne!(version["state"], "failed", "{version}");
        (version["phase"] == "ready").then_some(version)
    })
    .await
}

/// Every row of a table as text, in order.
pub async fn rows(app: &TestApp, table: &str) -> Vec<String> {
    let db = app.database.service_pool();
    let sql = format!("select t::text from views.{table} as t order by 1");
    let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&db).await.unwrap();
    db.close().await;
    rows
}

pub async fn place_many(app: &TestApp, count: usize) -> Vec<Uuid> {
    let mut orders = Vec::with_capacity(count);
    for _ in 0..count {
        orders.push(app.place("mug", 1).await);
    }
    orders
}

pub async fn settled(app: &TestApp, orders: &[Uuid]) {
    for order in orders {
        app.until(*order, "confirmed").await;
    }
}

/// Orders one after the other until it is told to stop; every one is read back.
async fn traffic(app: &TestApp, stop: tokio::sync::watch::Receiver<bool>) -> Vec<Uuid> {
    let mut orders = Vec::new();
    while !*stop.borrow() {
        let order = app.place("mug", 1).await;
        orders.push(order);
        // On a slow machine it may be told that the view is behind, never anything else.
        eventually("the order can be read", async || {
            let answer = app.get(&format!("/v1/orders/{order}")).await;
            let (status, said) = (answer.status(), answer.text().await.unwrap());
            assert!(status.is_success() || said.contains("view_behind"), "a query failed: {status} {said}");
            status.is_success().then_some(())
        })
        .await;
        let answer = app.get("/v1/inventory/mug").await;
        assert!(answer.status().is_success(), "a query failed: {}", answer.text().await.unwrap());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    orders
}
