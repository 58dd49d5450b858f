//! Crashes of actors: seen, restarted, escalated.

mod stored;

use serde_json::{Value, json};

use crate::support::{TestApp, eventually, wish};

fn facts<'a>(answer: &'a Value, kind: &str, what: &str) -> Vec<&'a Value> {
    let history = answer["history"].as_array().unwrap();
    history.iter().filter(|fact| fact["kind"] == kind && fact["what"] == what).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_actor_crashed_once_is_seen_and_started_again() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1000).await;
    for kind in ["relay", "worker", "feed", "listener", "dead_letter_publisher", "housekeeper", "writer"] {
        // Of workers nearly all, since each must read on where it was.
        let times = if kind == "worker" { 8 } else { 1 };
        app.fault(&json!({ "kind": kind, "times": times })).await;
        if kind == "writer" {
            // It crashes by its next append; whoever asked hears that the outcome is unknown, or is answered anew.
            _ = app
                .http
                .post(format!("{}/v1/orders", app.url))
                .json(&json!({
                "userId": "ada", "items": [{ "productId": "mug", "quantity": 1 }] }))
                .send()
                .await;
        }
        // The first crash: a listener's port may be taken for a moment by the one that still answers.
        let crash = eventually(&format!("the crash of a {kind} is a fact"), async || {
            let answer = app.http.get(format!("{}/ops/v1/supervision", app.ops)).send().await.ok()?;
            let answer: Value = answer.json().await.ok()?;
            facts(&answer, kind, "crashed").last().map(|fact| (*fact).clone())
        })
        .await;
        assert_eq!(crash["cause"], "bug", "{crash}");
        assert!(crash["budgetLeft"].is_u64(), "{crash}");
        eventually(&format!("a {kind} is started again"), async || {
            let answer = app.http.get(format!("{}/ops/v1/supervision", app.ops)).send().await.ok()?;
            let answer: Value = answer.json().await.ok()?;
            facts(&answer, kind, "restarted").first().map(|_| ())
        })
        .await;
    }
    app.ready().await;
    for _ in 0..8 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_killed_between_append_and_answer_decides_again_and_the_caller_is_answered() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1000).await;
    for _ in 0..3 {
        app.fault(&json!({ "kind": "aggregate.appended", "times": 1 })).await;
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    assert_eq!(app.count("order.created").await, 3);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_restarts_nothing() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 10).await;
    let id = app.place("mug", 1).await;
    for _ in 0..20 {
        app.post(&format!("/v1/orders/{id}/deliver"), &json!({})).await;
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_crashes_than_the_window_allows_end_one_shard_while_others_serve() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1000).await;
    app.fault(&json!({ "kind": "shard", "times": 1 })).await;
    // Whichever shard takes it refuses; the other one, and soon this one too, go on.
    let mut accepted = 0;
    eventually("orders are accepted again on both partitions", async || {
        for _ in 0..10 {
            let body = json!({ "userId": "ada", "items": [{ "productId": "mug", "quantity": 1 }] });
            let answer = app.http.post(format!("{}/v1/orders", app.url)).json(&body).send().await.ok()?;
            accepted = if answer.status().is_success() { accepted + 1 } else { 0 };
        }
        (accepted >= 20).then_some(())
    })
    .await;
    let answer = app.supervision().await;
    assert_eq!(facts(&answer, "shard", "escalated").len(), 1);
    assert!(!facts(&answer, "shard", "restarted").is_empty());
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hears_that_nothing_was_done_can_believe_it() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 10_000).await;
    // Each aggregate ends between its append and its answer, so often that shards give up meanwhile.
    app.fault(&json!({ "kind": "aggregate.appended", "times": 200 })).await;
    let post = async |client: usize| {
        let (mut may_be_done, mut not_done) = (0, 0);
        for number in 0..15 {
            let request = app.http.post(format!("{}/v1/orders", app.url));
            let request = request.header("idempotency-key", format!("{client}-{number}"));
            let answer = request.json(&wish("mug", 1)).send().await.unwrap();
            let accepted = answer.status().as_u16() == 202;
            let answer: Value = answer.json().await.unwrap();
            if accepted || answer["code"] == "outcome_unknown" {
                may_be_done += 1;
            } else {
                not_done += 1;
            }
        }
        (may_be_done, not_done)
    };
    let told = futures::future::join_all((0..8).map(post)).await;
    let may_be_done: i64 = told.iter().map(|told| told.0).sum();
    let stored: i64 = app.count("order.created").await;
    assert!(
        stored <= may_be_done,
        "{stored} orders are stored, of {may_be_done} that may be, by their answers: {told:?}"
    );
    app.fault(&json!({ "kind": "aggregate.appended", "times": 0 })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_that_crashed_is_told_to_be_started_again_when_it_is_asked_again() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 10).await;
    app.fault(&json!({ "kind": "aggregate", "times": 1 })).await;
    app.place("mug", 1).await;
    let answer = app.supervision().await;
    let crashed = facts(&answer, "aggregate", "crashed");
    let restarted = facts(&answer, "aggregate", "restarted");
    assert_eq!((crashed.len(), restarted.len()), (1, 1), "{answer}");
    assert_eq!((&restarted[0]["cause"], &restarted[0]["backoffMs"]), (&json!("bug"), &json!(0)));
    assert!(restarted[0]["budgetLeft"].is_u64());
    let unknown = app.http.post(format!("{}/ops/v1/faults", app.ops)).json(&json!({ "kind": "nobody", "times": 1 }));
    assert_eq!(unknown.send().await.unwrap().status().as_u16(), 422);
}
