//! Letters on their way back, through the whole service: tried, patched, replayed, and killed in between.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestApp, eventually};

const MALLORY: &str = "mallory";

impl TestApp {
    /// Inventory fails for events that name this user.
    async fn curse(&self, user: &str, fault: &str) {
        self.fault(&json!({ "subscription": "inventory", "text": user, "fault": fault })).await;
    }

    async fn place_for(&self, user: &str) -> Uuid {
        let wish = json!({ "userId": user, "items": [{ "productId": "mug", "quantity": 1 }] });
        let answer: Value = self.post("/v1/orders", &wish).await.json().await.unwrap();
        answer["orderId"].as_str().unwrap().parse().unwrap()
    }

    async fn ask(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}/ops/v1/{path}", self.ops)).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn act(&self, path: &str, args: Value) -> Value {
        let body = json!({ "args": args, "reason": "a test" });
        let answer = self.http.post(format!("{}/ops/v1/{path}", self.ops)).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn the_letter(&self) -> String {
        eventually("there is an open letter", async || {
            let letters = self.ask("dlq?consumer=inventory").await;
            letters["letters"][0]["letterId"].as_str().map(str::to_owned)
        })
        .await
    }

    async fn parked(&self) -> i64 {
        sqlx::query_scalar("select count(*) from parked_stream").fetch_one(&self.database.db).await.unwrap()
    }

    async fn nothing_waits(&self) {
        eventually("nothing waits", async || (self.parked().await == 0).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_tried_patched_and_replayed_and_what_waited_behind_it_is_dealt_with_next() {
    let mut app = TestApp::start().await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 10).await;
    app.curse(MALLORY, "permanent").await;
    let order = app.place_for(MALLORY).await;
    let letter = app.the_letter().await;
    let cancel = app.post(&format!("/v1/orders/{order}/cancel"), &json!({ "reason": "too late" })).await;
    assert!(cancel.status().is_success());
    let why = app.ask(&format!("orders/{order}/why")).await;
    eventually("the cancellation waits behind the letter", async || {
        let shown = app.ask(&format!("dlq/show?letterId={letter}")).await;
        (shown["followers"].as_array()?.len() == 1).then_some(())
    })
    .await;
    assert!(why["sentence"].as_str().is_some_and(|sentence| !sentence.is_empty()), "{why}");

    let tried = app.ask(&format!("dlq/try?letterId={letter}")).await;
    assert_eq!((&tried["succeeds"], &tried["class"]), (&json!(false), &json!("permanent")), "{tried}");
    let patch = r#"[{"op":"replace","path":"/userId","value":"ada"}]"#;
    let query = [("letterId", letter.as_str()), ("patch", patch)];
    let tried = app.http.get(format!("{}/ops/v1/dlq/try", app.ops)).query(&query).send().await.unwrap();
    let tried: Value = tried.json().await.unwrap();
    assert_eq!(tried["succeeds"], json!(true), "{tried}");
    assert_eq!(tried["appends"][0]["events"], json!(["inventory.reserved"]), "{tried}");
    assert_eq!(app.stock_of("mug").await, (10, 0, 0), "a try changes nothing");
    assert_eq!(app.count("inventory.reserved").await, 0);

    app.act("dlq/replay", json!({ "letterIds": [letter], "patch": serde_json::from_str::<Value>(patch).unwrap() }))
        .await;
    // The cancellation names Mallory, too: it has become the head, and waits for its own turn.
    let follower = eventually("the follower is a letter of its own", async || {
        let letters = app.ask("dlq?consumer=inventory").await;
        letters["letters"][0]["letterId"].as_str().filter(|id| *id != letter).map(str::to_owned)
    })
    .await;
    app.fault(&json!({ "subscription": "inventory" })).await;
    app.act("dlq/replay", json!({ "letterIds": [follower] })).await;
    app.nothing_waits().await;
    assert_eq!(app.count("inventory.reserved").await, 1);
    eventually("the follower has taken effect", async || (app.count("inventory.released").await == 1).then_some(()))
        .await;
    assert_eq!(app.stock_of("mug").await, (10, 0, 0));
    let said = app.act("personal/reveal", json!({ "subject": format!("letter:{letter}") })).await;
    let revealed = said["operationId"].as_str().unwrap();
    let shown = app.ask(&format!("dlq/show?letterId={letter}&revealed={revealed}")).await;
    assert_eq!(
        (&shown["state"], &shown["payload"]["json"]["userId"]),
        (&json!("resolved"), &json!(MALLORY)),
        "{shown}"
    );
    let again = json!({ "args": { "letterIds": [letter] }, "reason": "once more" });
    let again = app.http.post(format!("{}/ops/v1/dlq/replay", app.ops)).json(&again).send().await.unwrap();
    assert!(again.status().is_client_error(), "{again:?}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_fails_stops_and_leaves_its_letter_open() {
    let mut app = TestApp::start().await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 10).await;
    app.curse(MALLORY, "permanent").await;
    app.place_for(MALLORY).await;
    let letter = app.the_letter().await;
    app.act("dlq/replay", json!({ "letterIds": [letter] })).await;
    eventually("the replay has failed", async || {
        let replays = app.ask("dlq/replays").await;
        (replays["replays"][0]["state"] == "failed").then_some(())
    })
    .await;
    let shown = app.ask(&format!("dlq/show?letterId={letter}")).await;
    assert_eq!((&shown["state"], &shown["replays"]), (&json!("open"), &json!(1)), "{shown}");
    assert_eq!(app.stock_of("mug").await, (10, 0, 0));
    app.finish().await;
}

/// Killed at each step of a retry and of a replay, the service takes it up again, and nothing takes effect twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_between_any_two_steps_of_a_retry_or_a_replay_doubles_nothing() {
    // Long enough that no head is given up before the process has ended.
    let mut app = TestApp::start_with(&[("ORDO_SUBSCRIPTION__PARKED_RETRIES", "2s 2s 2s")]).await;
    app.tolerates_dead_letters = true;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 100).await;
    let mut orders = Vec::new();
    let points =
        ordo::faults::POINTS.iter().filter(|point| point.starts_with("parked.") || point.starts_with("replay."));
    // Only a head that is given up passes it, and after a restart the handler is well again.
    for point in points.filter(|point| **point != "parked.buried") {
        let (is_replay, user) = (point.starts_with("replay."), format!("m-{point}"));
        app.curse(&user, if is_replay { "permanent" } else { "transient" }).await;
        orders.push(app.place_for(&user).await);
        let letter = if is_replay { Some(app.the_letter().await) } else { None };
        eventually("its stream is set aside", async || (app.parked().await == 1).then_some(())).await;
        app.signal("-TERM");
        app.ended().await;
        // Its handler is well again, and the process ends at the point.
        app.relaunch(&[("ORDO_CRASH_AT", point)]);
        if let Some(letter) = letter {
            app.ready_or_ended().await;
            let body = json!({ "args": { "letterIds": [letter] }, "reason": "a test" });
            // The process may end while it answers.
            _ = app.http.post(format!("{}/ops/v1/dlq/replay", app.ops)).json(&body).send().await;
        }
        app.ended().await;
        app.restart_with(&[]).await;
        app.nothing_waits().await;
    }
    for order in &orders {
        app.until(*order, "confirmed").await;
    }
    let placed = i64::try_from(orders.len()).unwrap();
    assert_eq!(app.stock_of("mug").await, (100 - placed, placed, 0));
    assert_eq!(app.count("inventory.reserved").await, placed);
    assert_eq!(app.count("order.confirmed").await, placed);
    app.finish().await;
}

/// Killed while it gives a parked event up, the service has given nothing up: the event is tried again, and takes effect once.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_while_it_gives_a_parked_event_up_leaves_no_letter_and_the_event_parked() {
    let environment = [("ORDO_SUBSCRIPTION__PARKED_RETRIES", "300ms"), ("ORDO_CRASH_AT", "parked.buried")];
    let mut app = TestApp::start_with(&environment).await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 100).await;
    app.curse(MALLORY, "transient").await;
    let order = app.place_for(MALLORY).await;
    app.ended().await;
    assert_eq!((app.dead_letters().await, app.parked().await), (0, 1));
    // The curse was of that process, and so the next one's try succeeds.
    app.restart_with(&[]).await;
    app.until(order, "confirmed").await;
    app.nothing_waits().await;
    assert_eq!(app.stock_of("mug").await, (99, 1, 0));
    assert_eq!((app.count("inventory.reserved").await, app.dead_letters().await), (1, 0));
    app.finish().await;
}
