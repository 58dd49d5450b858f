//! Why an order is not done: the same sentence on the page, on the command line and by REST, and the right one.

use serde_json::{Value, json};
use uuid::Uuid;

use super::page::{browse, done, given_up, order, poison};
use crate::support::{TestApp, eventually};

/// An order, the code of why it is where it is, and words that the sentence must hold.
type Situation = (Uuid, &'static str, &'static [&'static str]);

async fn why(app: &TestApp, order: Uuid) -> Value {
    app.http.get(format!("{}/ops/v1/orders/{order}/why", app.ops)).send().await.unwrap().json().await.unwrap()
}

/// Until the order's code is this one.
async fn until(app: &TestApp, (order, code, words): Situation) -> Situation {
    eventually(&format!("{order} is {code}"), async || (why(app, order).await["code"] == code).then_some(())).await;
    (order, code, words)
}

async fn moved(app: &TestApp, order: Uuid, words: &[&str]) -> Uuid {
    app.until(order, "confirmed").await;
    for word in words {
        let answer = app.post(&format!("/v1/orders/{order}/{word}"), &json!({ "reason": "a test" })).await;
        assert!(answer.status().is_success(), "{word}: {:?}", answer.text().await);
    }
    order
}

/// Orders in every state in which they can be for long.
async fn situations(app: &TestApp) -> Vec<Situation> {
    let mut found = vec![
        (Uuid::new_v4(), "unknown_order", &["the log has no event of it"][..]),
        (moved(app, order(app, "ada").await, &[]).await, "no_automatic_step", &["is confirmed", "/ship"]),
        (moved(app, order(app, "ada").await, &["ship"]).await, "no_automatic_step", &["is shipped", "/deliver"]),
        (moved(app, order(app, "ada").await, &["ship", "deliver"]).await, "ended", &["is delivered"]),
        (moved(app, order(app, "ada").await, &["cancel"]).await, "ended", &["is cancelled"]),
    ];
    let rejected = app.place("mug", 1_000).await;
    app.until(rejected, "rejected").await;
    found.push((rejected, "ended", &["is rejected"]));

    for (consumer, kind, user) in [("inventory", "transient", "sam"), ("orders", "permanent", "otto")] {
        let words =
            ["faults", "set", consumer, "--kind", kind, "--pointer", "/userId", "--equals", user, "--reason", "a test"];
        done(app, &words).await;
    }
    // Whoever has read the last rule has read them all.
    poison(app, "inventory", "eve").await;
    let (stuck, _) = given_up(app, "eve").await;
    found.push((stuck, "behind_letter", &["dead letter", "inventory gave up on order.created", "ordo dlq show"]));
    let (given_away, letter) = given_up(app, "eve").await;
    done(app, &["dlq", "discard", &letter.to_string(), "--reason", "a test"]).await;
    found.push((given_away, "discarded", &["stays processing", "ordo operations"]));
    let parked = order(app, "sam").await;
    found.push((parked, "parked", &["inventory has set aside", "is tried again"]));

    found
}

/// Orders behind consumers that are held; what else waits for these consumers is held with them.
async fn held(app: &TestApp) -> Vec<Situation> {
    let trip = "insert into subscription_control (subscription, tripped_at, tripped_why) values ('orders', now(), '9 of 10 failed')
        on conflict (subscription) do update set tripped_at = now(), tripped_why = excluded.tripped_why";
    sqlx::query(trip).execute(&app.database.db).await.unwrap();
    let tripped = order(app, "ada").await;
    let tripped = (tripped, "tripped", &["breaker has stopped orders", "9 of 10 failed"][..]);
    let tripped = until(app, tripped).await;
    done(app, &["consumers", "pause", "inventory", "--reason", "stocktaking"]).await;
    let paused = order(app, "ada").await;
    vec![tripped, (paused, "paused", &["has paused inventory: stocktaking", "ordo consumers resume inventory"])]
}

/// Times in words pass while three are asked one after the other.
fn timeless(sentence: &str) -> String {
    let mut words: Vec<&str> = sentence.split(' ').collect();
    for index in 1..words.len() {
        if words[index].starts_with("s,") || words[index] == "s" || words[index].starts_with("time") {
            words[index - 1] = "n";
        }
    }
    words.join(" ").replace("again now", "again in n s")
}

/// That all three say the same of each, and what is right.
async fn agree(app: &TestApp, situations: Vec<Situation>) {
    let mut told = Vec::new();
    for situation in situations {
        let (order, code, words) = until(app, situation).await;
        let answer = why(app, order).await;
        let sentence = answer["sentence"].as_str().unwrap();
        assert_eq!(answer["code"], code, "{sentence}");
        for word in words {
            assert!(sentence.contains(word), "{code}: {word:?} is not in {sentence:?}");
        }
        let (_, said, _) = app.ordo(&["order", "why", &order.to_string()]).await;
        assert_eq!(timeless(said.trim()), timeless(sentence));
        let trace = app.http.get(format!("{}/ops/v1/orders/{order}/trace", app.ops)).send().await.unwrap();
        let trace: Value = trace.json().await.unwrap();
        assert_eq!(timeless(trace["sentence"].as_str().unwrap()), timeless(sentence));
        told.push(json!({ "order": order, "code": code, "words": words }));
    }
    browse(app, "why", &json!({ "situations": told })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_command_line_and_rest_say_the_same_and_the_right_sentence_in_every_situation() {
    let slow = ("ORDO_SUBSCRIPTION__PARKED_RETRIES", "10m");
    let mut app = TestApp::start_with(&[("ORDO_SUBSCRIPTION__FAULT_PANEL", "true"), slow]).await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 1_250, 100).await;
    let free = situations(&app).await;
    let number = free.len();
    agree(&app, free).await;
    let held = held(&app).await;
    assert!(number + held.len() >= 10);
    agree(&app, held).await;
    done(&app, &["consumers", "resume", "inventory", "--reason", "a test"]).await;
    app.finish().await;
}
