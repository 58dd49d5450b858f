//! An order as it was.

use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::TestApp;

async fn at(app: &TestApp, order: Uuid, moment: &str) -> (u16, Value) {
    let request = app.http.get(format!("{}/v1/orders/{order}", app.url)).query(&[("at", moment)]);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn at_each_version_and_at_its_time_an_order_is_what_was_shown_then() {
    // Without those who would confirm it at once, so that it is shown in every status.
    let app = TestApp::start_roles("http,relay,views").await;
    app.stock("mug", 100, 10).await;
    let order = app.place("mug", 2).await;
    let mut shown = vec![app.until(order, "processing").await];
    let mut others = app.second_node("inventory,orders").await;
    shown.push(app.until(order, "confirmed").await);
    for (step, status) in [("ship", "shipped"), ("deliver", "delivered")] {
        let answer = app.post(&format!("/v1/orders/{order}/{step}"), &json!({})).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        shown.push(app.until(order, status).await);
    }
    // The view is not asked: it can have nothing to say.
    let service = app.database.service_pool();
    sqlx::query("delete from views.order_view_v1").execute(&service).await.unwrap();
    service.close().await;
    for (version, then) in (1..).zip(&shown) {
        assert_eq!(at(&app, order, &version.to_string()).await, (200, then.clone()), "version {version}");
        let recorded = then["timeline"].as_array().unwrap().last().unwrap()["at"].as_str().unwrap();
        assert_eq!(at(&app, order, recorded).await, (200, then.clone()), "at {recorded}");
    }
    assert_eq!(at(&app, order, "2999-01-01T00:00:00+05:00").await, (200, shown[3].clone()));
    let (well, printed, _) = app.ordo(&["--json", "order", "get", &order.to_string(), "--at", "2"]).await;
    assert!(well);
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), shown[1]);
    others.kill().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_yet_is_not_found_and_what_is_no_moment_is_refused() {
    let app = TestApp::start_roles("http").await;
    app.stock("mug", 100, 10).await;
    let order = app.place("mug", 1).await;
    for (order, moment, status, code) in [
        (order, "2", 404, "version_not_found"),
        (order, "1999-12-31T23:59:59Z", 404, "order_not_found"),
        (Uuid::nil(), "1", 404, "order_not_found"),
        (order, "0", 400, "bad_moment"),
        (order, "-1", 400, "bad_moment"),
        (order, "", 400, "bad_moment"),
        (order, "yesterday", 400, "bad_moment"),
        (order, "2026-11-26T10:00:00", 400, "bad_moment"),
    ] {
        let (seen, problem) = at(&app, order, moment).await;
        assert_eq!((seen, &problem["code"]), (status, &json!(code)), "{moment}: {problem}");
    }
    app.finish().await;
}
