//! The page in a real browser. The browser's half is `dashboard/test/browser.mjs`; here is what it looks at.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::process::Command;
use uuid::Uuid;

use crate::support::{TestApp, eventually};

/// Longest time for one case.
const PATIENCE: Duration = Duration::from_secs(300);
const PANEL: (&str, &str) = ("ORDO_SUBSCRIPTION__FAULT_PANEL", "true");

/// Runs one case against the app's ops listener.
pub async fn browse(app: &TestApp, case: &str, told: &Value) {
    let dashboard = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard");
    assert!(
        dashboard.join("node_modules/playwright-core").exists(),
        "the dashboard's packages are missing: cd dashboard && npm ci"
    );
    let mut command = Command::new("node");
    command.current_dir(&dashboard).args(["test/browser.mjs", case, &app.ops, &told.to_string()]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("the browser is done in time").unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{case}: {}{}", said(&output.stdout), said(&output.stderr));
}

pub async fn order(app: &TestApp, user: &str) -> Uuid {
    let body = json!({ "userId": user, "items": [{ "productId": "mug", "quantity": 1 }] });
    let answer: Value = app.post("/v1/orders", &body).await.json().await.unwrap();
    answer["orderId"].as_str().unwrap().parse().unwrap()
}

pub async fn done(app: &TestApp, words: &[&str]) {
    let (is_done, said, error) = app.ordo(words).await;
    assert!(is_done, "{words:?}: {said}{error}");
}

/// A fault that makes `consumer` give up on every order of `user`.
pub async fn poison(app: &TestApp, consumer: &str, user: &str) {
    let words =
        ["faults", "set", consumer, "--kind", "poison", "--pointer", "/userId", "--equals", user, "--reason", "test"];
    done(app, &words).await;
}

/// An order of `user` on which a consumer has given up, and its letter. Rules are read twice a second at most: until then
/// nothing is the matter with orders.
pub async fn given_up(app: &TestApp, user: &str) -> (Uuid, Uuid) {
    eventually("the rules are read", async || {
        let order = order(app, user).await;
        let letter = eventually("the order is decided, or given up", async || {
            let stream = format!("order:{order}");
            let answer =
                app.http.get(format!("{}/ops/v1/dlq", app.ops)).query(&[("stream", &stream)]).send().await.ok()?;
            let answer: Value = answer.json().await.ok()?;
            if let Some(letter) = answer["letters"][0]["letterId"].as_str() {
                return Some(letter.parse().ok());
            }
            app.order(order).await.filter(|order| order["status"] == "confirmed").map(|_| None)
        });
        Some((order, letter.await?))
    })
    .await
}

/// A shop in which something is the matter: letters with followers, a paused consumer, a stream set aside.
async fn shop_in_trouble() -> (TestApp, Uuid, Uuid) {
    let mut app = TestApp::start_with(&[PANEL]).await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 1_250, 100).await;
    let fine = order(&app, "ada").await;
    app.until(fine, "confirmed").await;
    poison(&app, "inventory", "eve").await;
    let (stuck, letter) = given_up(&app, "eve").await;
    (app, stuck, letter)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_screen_is_accessible_in_both_themes_fits_a_phone_and_asks_nobody_but_its_listener() {
    let (app, stuck, letter) = shop_in_trouble().await;
    done(&app, &["consumers", "pause", "analytics", "--reason", "a look"]).await;
    done(&app, &["projections", "rebuild", "customer_orders", "--reason", "a look"]).await;
    let order = format!("orders/{stuck}");
    let trace = format!("trace/{stuck}");
    let letter = format!("dead-letters/{letter}");
    let paths = [
        "overview",
        "orders",
        &order,
        "trace",
        &trace,
        "actors",
        "consumers",
        "consumers/inventory",
        "dead-letters",
        &letter,
        "relay",
        "projections",
        "projections/customer_orders",
        "events",
        "system",
        "audit",
    ];
    browse(&app, "screens", &json!({ "paths": paths })).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_tried_mended_and_replayed_on_the_page() {
    let (app, stuck, _) = shop_in_trouble().await;
    browse(&app, "letter", &json!({ "order": stuck })).await;
    app.until(stuck, "confirmed").await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_alone_lead_to_a_dead_letter_and_try_it() {
    let (app, ..) = shop_in_trouble().await;
    browse(&app, "keyboard", &json!({})).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_is_paused_and_resumed_on_the_page_and_what_is_not_allowed_says_why() {
    let app = TestApp::start().await;
    browse(&app, "pause", &json!({})).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_is_rebuilt_compared_promoted_and_rolled_back_on_the_page() {
    let app = TestApp::start().await;
    app.stock("mug", 1_250, 100).await;
    let placed = order(&app, "ada").await;
    app.until(placed, "confirmed").await;
    browse(&app, "rebuild", &json!({})).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_has_not_happened_is_drawn_as_such_and_as_done_once_it_is_without_a_reload() {
    let app = TestApp::start().await;
    app.stock("mug", 1_250, 100).await;
    done(&app, &["consumers", "pause", "inventory", "--reason", "a look"]).await;
    let waiting = order(&app, "ada").await;
    browse(&app, "trace", &json!({ "order": waiting })).await;
    app.until(waiting, "confirmed").await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_holds_as_long_as_its_session_and_lets_nobody_do_more_than_their_role() {
    let mut app = TestApp::start().await;
    let sha256 = |token: &str| Sha256::digest(token).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let token = |name: &str, role: &str| format!("{{name=\"{name}\",role=\"{role}\",sha256=\"{}\"}}", sha256(name));
    let tokens = format!("[{},{}]", token("vera", "viewer"), token("olga", "operator"));
    app.kill().await;
    app.restart_with(&[("ORDO_OPS__TOKENS", &tokens)]).await;
    browse(&app, "login", &json!({ "viewer": "vera", "operator": "olga" })).await;
    app.kill().await;
    app.restart_with(&[("ORDO_OPS__TOKENS", "[]")]).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_in_an_address_is_a_clear_no_and_markup_in_a_payload_is_text() {
    let mut app = TestApp::start_with(&[PANEL]).await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 1_250, 100).await;
    let markup = "<img src=x onerror=alert(1)>";
    let letterbox = crate::operators::letterbox::Letterbox::of(&app.database);
    let stream = format!("order:{}", Uuid::new_v4());
    let payload = json!({ "note": markup }).to_string();
    let about = crate::operators::letterbox::About {
        payload: &payload,
        ..crate::operators::letterbox::About::stream(&stream, 1)
    };
    let letter = letterbox.write(about).await;
    let nobody = Uuid::new_v4();
    let paths = [
        "nowhere".to_owned(),
        "orders/rubbish".to_owned(),
        format!("orders/{nobody}"),
        format!("trace/{nobody}"),
        format!("dead-letters/{nobody}"),
        "consumers/nobody".to_owned(),
        "projections/%00%ff<script>".to_owned(),
        "orders?status=lost&user=%00".to_owned(),
        "events?partition=99&id=rubbish".to_owned(),
        "dead-letters?since=yesterday".to_owned(),
    ];
    browse(&app, "hostile", &json!({ "paths": paths, "letter": letter })).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_of_a_shop_in_trouble_ticks_itself_off() {
    let mut app = TestApp::start_with(&[PANEL, ("ORDO_OPS__ENVIRONMENT", "demo")]).await;
    (app.tolerates_dead_letters, app.tolerates_crashes) = (true, true);
    done(&app, &["demo", "--trouble", "--seconds", "1"]).await;
    browse(&app, "tour", &json!({ "rest": app.url })).await;
    app.finish().await;
}
