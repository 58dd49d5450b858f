//! The fault panel: events fail on purpose, by rules that every process reads.

use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestApp, eventually};

async fn act(app: &TestApp, path: &str, args: Value) -> (StatusCode, Value) {
    let body = json!({ "args": args, "reason": "a test" });
    let answer = app.http.post(format!("{}/ops/v1/{path}", app.ops)).json(&body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn done(app: &TestApp, path: &str, args: Value) -> Value {
    let (status, answer) = act(app, path, args).await;
    assert!(status.is_success(), "{path}: {answer}");
    answer["outcome"].clone()
}

async fn place_as(app: &TestApp, user: &str, product: &str) -> Uuid {
    let body = json!({ "userId": user, "items": [{ "productId": product, "quantity": 1 }] });
    let answer: Value = app.post("/v1/orders", &body).await.json().await.unwrap();
    answer["orderId"].as_str().unwrap_or_else(|| panic!("{answer}")).parse().unwrap()
}

/// Class, error and attempts of the letter of an order's own stream, or of inventory's.
async fn letter(app: &TestApp, consumer: &str, stream: &str) -> (String, String, i32) {
    eventually(&format!("{consumer} has given up on {stream}"), async || {
        sqlx::query_as("select class, error, attempts from dead_letter where subscription = $1 and stream_id = $2")
            .bind(consumer)
            .bind(stream)
            .fetch_optional(&app.database.db)
            .await
            .unwrap()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_makes_the_events_it_means_fail_in_its_way_and_no_others() {
    let mut app = TestApp::start_with(&[("ORDO_SUBSCRIPTION__FAULT_PANEL", "true")]).await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 100).await;
    app.stock("vase", 100, 100).await;
    let permanent =
        json!({ "consumer": "orders", "kind": "permanent", "pointer": "/items/0/productId", "equals": "vase" });
    done(&app, "faults/set", permanent).await;
    // Whoever has read the last rule has read them all.
    for (kind, times) in [("panic", None), ("transient", Some(2)), ("poison", None)] {
        let user = format!("user-{kind}");
        let rule =
            json!({ "consumer": "inventory", "kind": kind, "pointer": "/userId", "equals": user, "times": times });
        done(&app, "faults/set", rule).await;
    }
    let listed: Value = app.http.get(format!("{}/ops/v1/faults", app.ops)).send().await.unwrap().json().await.unwrap();
    assert_eq!((listed["isOn"].clone(), listed["rules"].as_array().map(Vec::len)), (json!(true), Some(4)), "{listed}");
    // The rules are read twice a second at most: an event fails by a new one from then on.
    eventually("the rules are read", async || {
        let order = place_as(&app, "user-poison", "mug").await;
        eventually("the order is confirmed or given up", async || {
            let confirmed = app.order(order).await.is_some_and(|order| order["status"] == "confirmed");
            (confirmed || app.dead_letters().await > 0).then_some(())
        })
        .await;
        (app.dead_letters().await > 0).then_some(())
    })
    .await;

    let vase = place_as(&app, "bob", "vase").await;
    let poison = place_as(&app, "user-poison", "mug").await;
    let panic = place_as(&app, "user-panic", "mug").await;
    let transient = place_as(&app, "user-transient", "mug").await;
    let innocent = place_as(&app, "bob", "mug").await;
    app.until(innocent, "confirmed").await;
    app.until(transient, "confirmed").await;
    let (class, error, attempts) = letter(&app, "inventory", &format!("order:{poison}")).await;
    assert_eq!((class.as_str(), attempts), ("poison", 1));
    assert!(error.contains("fault rule"), "{error}");
    let (class, error, attempts) = letter(&app, "inventory", &format!("order:{panic}")).await;
    assert_eq!((class.as_str(), attempts), ("panic", 3));
    assert!(error.contains("subscription/fault.rs:"), "a real panic has a place: {error}");
    // What a consumer commands is not commanded by an event that fails.
    assert_eq!(letter(&app, "orders", &format!("inventory:{vase}")).await.0, "permanent");
    for order in [poison, panic, vase] {
        assert_eq!(app.order(order).await.unwrap()["status"], "processing", "{order}");
    }

    // The rules stand, and a payload that was mended is not meant by them.
    let patch = json!([{ "op": "replace", "path": "/userId", "value": "mended" }]);
    done(&app, "dlq/replay", json!({ "consumer": "inventory", "patch": patch, "perSecond": 1000 })).await;
    app.until(poison, "confirmed").await;
    app.until(panic, "confirmed").await;
    done(&app, "faults/clear", json!({})).await;
    // For half a second the process may still go by them, and a replay fails; another one does not.
    eventually("the order is confirmed", async || {
        _ = act(&app, "dlq/replay", json!({ "consumer": "orders", "perSecond": 1000 })).await;
        app.order(vase).await.filter(|order| order["status"] == "confirmed").map(|_| ())
    })
    .await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_panel_is_off_unless_it_is_switched_on_and_says_how() {
    let app = TestApp::start_roles("http,relay,inventory").await;
    app.stock("mug", 100, 100).await;
    let rule = json!({ "consumer": "inventory", "kind": "poison", "pointer": "/userId", "equals": "ada" });
    let (status, answer) = act(&app, "faults/set", rule.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(answer.to_string().contains("ORDO_SUBSCRIPTION__FAULT_PANEL=true"), "{answer}");
    // A rule that another process has set is none here.
    sqlx::query(
        "insert into fault_rule (rule_id, subscription, kind, pointer, equals, made_by)
         values ($1, 'inventory', 'poison', '/userId', 'ada', 'somebody')",
    )
    .bind(Uuid::new_v4())
    .execute(&app.database.db)
    .await
    .unwrap();
    app.place("mug", 1).await;
    eventually("the stock is reserved", async || (app.stock_of("mug").await == (99, 1, 0)).then_some(())).await;
    assert_eq!(done(&app, "faults/clear", json!({})).await["cleared"], 1, "rules can be taken away all the same");
    app.finish().await;
}
