//! What a consumer keeps of the events it receives, made anew: with what it holds back left out, and what was mended mended.

use serde_json::{Value, json};

use super::{SMALL, done, place_many, ready, rebuild, rows, settled, traffic, version};
use crate::support::{TestApp, eventually};

const FIGURES: [&str; 4] = ["customer_value", "daily_revenue", "order_funnel", "top_products"];

/// An order of this user, accepted.
async fn place_for(app: &TestApp, user: &str) {
    let wish = json!({ "userId": user, "items": [{ "productId": "mug", "quantity": 2 }] });
    let answer: Value = app.post("/v1/orders", &wish).await.json().await.unwrap();
    app.until(answer["orderId"].as_str().unwrap().parse().unwrap(), "confirmed").await;
}

/// Both events of an order that analytics gives up on.
async fn letters(app: &TestApp, user: &str) -> Vec<Value> {
    app.fault(&json!({ "subscription": "analytics", "text": user, "fault": "permanent" })).await;
    place_for(app, user).await;
    let letters = eventually("both events are letters", async || {
        let answer = app.http.get(format!("{}/ops/v1/dlq?consumer=analytics&state=open", app.ops)).send().await.ok()?;
        let listed: Value = answer.json().await.ok()?;
        let letters = listed["letters"].as_array()?.iter().map(|letter| letter["letterId"].clone());
        Some(letters.collect::<Vec<_>>()).filter(|letters| letters.len() == 2)
    })
    .await;
    app.fault(&json!({ "subscription": "analytics" })).await;
    letters
}

async fn replay(app: &TestApp, letters: &[Value], patch: Option<Value>) {
    let mut args = json!({ "letterIds": letters });
    if let Some(patch) = patch {
        args["patch"] = patch;
    }
    let body = json!({ "args": args, "reason": "a test" });
    let answer = app.http.post(format!("{}/ops/v1/dlq/replay", app.ops)).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    eventually("no letter is open", async || {
        let open: i64 = sqlx::query_scalar("select count(*) from dead_letter where state = 'open'")
            .fetch_one(&app.database.db)
            .await
            .unwrap();
        (open == 0).then_some(())
    })
    .await;
}

/// What Mallory has spent, by the new version.
async fn spent(app: &TestApp) -> Option<i64> {
    let service = app.database.service_pool();
    let query = sqlx::query_scalar("select spent from views.customer_value_v1_2 where user_id = 'mallory'");
    let spent = query.fetch_optional(&service).await.unwrap();
    service.close().await;
    spent
}

/// Both versions of each, once they hold the same rows.
async fn are_equal(app: &TestApp, names: &[&str]) {
    for name in names {
        eventually(&format!("both versions of {name} hold the same"), async || {
            let (old, new) = (rows(app, &format!("{name}_v1")).await, rows(app, &format!("{name}_v1_2")).await);
            (old == new && !old.is_empty()).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_and_lists_are_rebuilt_equal_promoted_and_taken_back_under_traffic() {
    let app = TestApp::start_with(SMALL).await;
    app.stock("mug", 100, 100_000).await;
    settled(&app, &place_many(&app, 60).await).await;
    let names = [&FIGURES[..], &["customer_orders", "notifications"]].concat();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let operate = async {
        for name in &names {
            let made = rebuild(&app, name).await;
            let found = ready(&app, name, &made).await;
            assert_eq!(found["rowsDifferent"], 0, "{name}: {found}");
            assert!(found["rowsCompared"].as_i64() > Some(0), "{name}: {found}");
            done(&app, "promote", json!({ "projection": name })).await;
            done(&app, "rollback", json!({ "projection": name })).await;
            assert_eq!(version(&app, name, "1.1").await.unwrap()["state"], "active");
        }
        stop.send_replace(true);
    };
    let ((), orders) = tokio::join!(operate, traffic(&app, stopped));
    settled(&app, &orders).await;
    are_equal(&app, &names).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_consumer_holds_back_is_in_both_versions_or_in_none_and_counts_once() {
    let mut app = TestApp::start_with(SMALL).await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 1_000).await;
    settled(&app, &place_many(&app, 20).await).await;
    let held_back = letters(&app, "mallory").await;
    for name in FIGURES {
        let made = rebuild(&app, name).await;
        let found = ready(&app, name, &made).await;
        assert_eq!((&found["rowsDifferent"], &found["leftOut"]), (&json!(0), &json!(2)), "{name}: {found}");
        done(&app, "promote", json!({ "projection": name })).await;
    }
    assert_eq!(spent(&app).await, None);
    replay(&app, &held_back, None).await;
    are_equal(&app, &FIGURES).await;
    assert_eq!(spent(&app).await, Some(200), "once, in both versions");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_was_replayed_with_a_patch_is_folded_as_patched() {
    let mut app = TestApp::start_with(SMALL).await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 1_000).await;
    settled(&app, &place_many(&app, 5).await).await;
    let wrong = letters(&app, "mallory").await;
    let patch = json!([{ "op": "replace", "path": "/totalAmount", "value": 70 }]);
    replay(&app, &wrong, Some(patch)).await;
    for name in ["customer_value", "daily_revenue"] {
        let made = rebuild(&app, name).await;
        let found = ready(&app, name, &made).await;
        assert_eq!(found["rowsDifferent"], 0, "{name}: {found}");
    }
    assert_eq!(spent(&app).await, Some(70));
    app.finish().await;
}
