//! What operators see of consumers, and how they steer them.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::asked;
use crate::support::{TestApp, eventually};

async fn act(app: &TestApp, verb: &str, args: Value) -> (u16, Value) {
    act_with(app, verb, &json!({ "args": args, "reason": "a test" })).await
}

async fn act_with(app: &TestApp, verb: &str, body: &Value) -> (u16, Value) {
    let url = format!("{}/ops/v1/consumers/{verb}", app.ops);
    let answer = app.http.post(url).json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn consumer(app: &TestApp, name: &str) -> Value {
    asked(app, &format!("consumers/show?consumer={name}")).await
}

fn sum(shown: &Value, field: &str) -> i64 {
    shown["partitions"].as_array().unwrap().iter().filter_map(|partition| partition[field].as_i64()).sum()
}

/// The partition that has read most.
fn busiest(shown: &Value) -> Value {
    let partitions = shown["partitions"].as_array().unwrap();
    partitions.iter().max_by_key(|partition| partition["nextOffset"].as_i64()).unwrap().clone()
}

async fn caught_up(app: &TestApp, name: &str) -> Value {
    eventually(&format!("{name} has caught up"), async || {
        let shown = consumer(app, name).await;
        (shown["lag"]["events"] == 0).then_some(shown)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_nobody_runs_is_shown_unowned_and_behind() {
    let app = TestApp::start_roles("http,relay").await;
    app.stock("mug", 100, 100).await;
    for _ in 0..3 {
        app.place("mug", 1).await;
    }
    let listed = asked(&app, "consumers").await;
    let listed = listed["consumers"].as_array().unwrap();
    let names: Vec<&str> = listed.iter().map(|consumer| consumer["consumer"].as_str().unwrap()).collect();
    assert_eq!(names, ["inventory", "orders", "notification", "analytics"]);
    // The receipt of the stock is in the topic that `orders` reads.
    for (consumer, behind) in listed.iter().zip([3, 1, 3, 3]) {
        assert_eq!((&consumer["state"], &consumer["lag"]["events"]), (&json!("unowned"), &json!(behind)), "{consumer}");
        assert_eq!(consumer["unowned"].as_array().unwrap().len(), 2, "{consumer}");
        assert!(consumer["lag"]["seconds"].as_f64().unwrap() > 0.0, "{consumer}");
        assert_eq!(consumer["claims"], 0);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_aside_counts_as_lag_and_is_told_apart() {
    let app = TestApp::start_roles("http,relay").await;
    app.stock("mug", 100, 100).await;
    let id = app.place("mug", 1).await;
    let db = &app.database.db;
    // As a consumer leaves it that has failed at this order: behind its place and set aside.
    for statement in [
        "insert into checkpoint (subscription, source, partition, position, epoch)
         select 'inventory', 'order.events', partition, position, 4 from log_head",
        "insert into parked_stream (subscription, stream_id, source, partition, class, error, due_at, depth)
         select 'inventory', stream_id, 'order.events', partition, 'transient', 'away', now() + interval '1 minute', 1
         from log where event_type = 'order.created'",
        "insert into parked_event (subscription, stream_id, version, event_id, source, partition, source_offset, payload,
             header_names, header_values)
         select 'inventory', stream_id, version, gen_random_uuid(), 'order.events', partition, 0, '', '{}', '{}'
         from log where event_type = 'order.created'",
    ] {
        sqlx::query(statement).execute(db).await.unwrap();
    }
    let shown = consumer(&app, "inventory").await;
    assert_eq!((&shown["lag"]["events"], &shown["lag"]["parkedEvents"]), (&json!(1), &json!(1)), "{shown}");
    assert!(shown["lag"]["seconds"].as_f64().unwrap() > 0.0, "it waits since it was appended: {shown}");
    assert_eq!(shown["parked"], json!({ "streams": 1, "behindLetters": 0, "events": 1 }));
    assert_eq!(shown["parkedStreams"][0]["streamId"], format!("order:{id}"));
    assert!((0.0..=60.0).contains(&shown["parkedStreams"][0]["dueInSeconds"].as_f64().unwrap()), "{shown}");
    assert_eq!((sum(&shown, "lagEvents"), &shown["claims"]), (0, &json!(8)));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_with_a_consumer_is_refused_and_says_what_could() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 100).await;
    let id = app.place("mug", 1).await;
    app.until(id, "confirmed").await;
    let shown = caught_up(&app, "inventory").await;
    let there = busiest(&shown);
    let (partition, next_offset) = (there["partition"].clone(), there["nextOffset"].as_i64().unwrap());
    let seek = |topic: &str, offset: i64| json!({ "consumer": "inventory", "topic": topic, "partition": partition, "offset": offset });
    for (verb, args, status, says) in [
        ("pause", json!({ "consumer": "inventor" }), 404, "analytics, inventory, notification, orders"),
        ("resume", json!({ "consumer": "relay" }), 404, "analytics, inventory, notification, orders"),
        ("resume", json!({ "consumer": "inventory" }), 409, "nothing holds inventory"),
        ("seek", seek("product.events", 0), 404, "it reads order.events 0, order.events 1"),
        ("seek", seek("order.events", -1), 422, "-1 is no offset"),
        ("seek", seek("order.events", next_offset + 1), 409, "ordo dlq discard"),
    ] {
        let (seen, problem) = act(&app, verb, args.clone()).await;
        assert_eq!(seen, status, "{verb} {args}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{verb} {args}: {problem}");
    }
    assert_eq!(
        app.http.get(format!("{}/ops/v1/consumers/show?consumer=x", app.ops)).send().await.unwrap().status(),
        404
    );
    let after = busiest(&consumer(&app, "inventory").await);
    assert_eq!((&after["nextOffset"], &after["claims"]), (&there["nextOffset"], &there["claims"]), "nothing has moved");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_a_seek_says_what_would_come_again_and_moves_nothing() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 100).await;
    for _ in 0..4 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    let there = busiest(&caught_up(&app, "inventory").await);
    let next_offset = there["nextOffset"].as_i64().unwrap();
    let args =
        json!({ "consumer": "inventory", "topic": "order.events", "partition": there["partition"], "offset": 1 });
    let body = json!({ "args": args, "reason": "a test", "dryRun": true });
    let (status, tried) = act_with(&app, "seek", &body).await;
    assert_eq!(status, StatusCode::OK, "{tried}");
    assert_eq!(tried["outcome"]["readAgain"], next_offset - 1);
    assert_eq!(tried["outcome"]["suppressed"], next_offset - 1);
    assert!(tried["outcome"]["said"].as_str().unwrap().contains("suppressed by position"), "{tried}");
    let after = busiest(&consumer(&app, "inventory").await);
    assert_eq!((&after["nextOffset"], &after["claims"]), (&there["nextOffset"], &there["claims"]));
    assert_eq!(asked(&app, "operations").await["operations"], json!([]));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_sent_back_reads_all_again_and_applies_nothing_twice() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 100).await;
    for _ in 0..6 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    let before = caught_up(&app, "inventory").await;
    let mut again = 0;
    for partition in before["partitions"].as_array().unwrap() {
        let args = json!({
            "consumer": "inventory", "topic": "order.events", "partition": partition["partition"], "offset": 0
        });
        let (status, done) = act(&app, "seek", args).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        again += done["outcome"]["readAgain"].as_i64().unwrap();
    }
    assert_eq!(again, sum(&before, "nextOffset"));
    // Whoever works a partition is fenced at its next event, so each gets one.
    let mut placed = 0;
    let after = eventually("all is read again, and known", async || {
        let shown = consumer(&app, "inventory").await;
        if shown["counts"]["replayed"].as_i64()? == again && sum(&shown, "lagEvents") == 0 {
            return Some(shown);
        }
        if placed < 40 {
            app.place("mug", 1).await;
            placed += 1;
        }
        None
    })
    .await;
    assert_eq!(after["counts"]["redelivered"], before["counts"]["redelivered"], "an operator is the cause: {after}");
    let orders = 6 + placed;
    eventually("every order is confirmed once", async || (app.count("order.confirmed").await == orders).then_some(()))
        .await;
    assert_eq!(app.stock_of("mug").await, (100 - orders, orders, 0));
    assert_eq!(app.count("inventory.reserved").await, orders);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_consumer_sent_back_begins_there_without_waiting_for_an_event() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 100).await;
    for _ in 0..3 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    let there = busiest(&caught_up(&app, "inventory").await);
    let args =
        json!({ "consumer": "inventory", "topic": "order.events", "partition": there["partition"], "offset": 0 });
    let (status, done) = act(&app, "seek", args).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    eventually("what it was sent back over is read again", async || {
        let shown = consumer(&app, "inventory").await;
        (shown["counts"]["replayed"] == done["outcome"]["readAgain"]).then_some(())
    })
    .await;
    assert_eq!(app.stock_of("mug").await, (97, 3, 0));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_outlives_a_restart_and_ends_when_somebody_resumes() {
    let mut app = TestApp::start().await;
    app.stock("mug", 100, 100).await;
    let first = app.place("mug", 1).await;
    app.until(first, "confirmed").await;
    let before = caught_up(&app, "inventory").await;
    let (status, done) = act(&app, "pause", json!({ "consumer": "inventory" })).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert!(done["outcome"]["said"].as_str().unwrap().contains("ordo consumers resume inventory"), "{done}");
    let (status, problem) = act(&app, "pause", json!({ "consumer": "inventory" })).await;
    assert_eq!((status, problem["detail"].as_str().unwrap()), (409, "inventory is paused already, by local: a test"));
    let waiting = app.place("mug", 1).await;

    app.signal("-TERM");
    app.ended().await;
    app.relaunch(&[]);
    let answers = async || app.http.get(format!("{}/livez", app.ops)).send().await.ok();
    eventually("it answers operators again", answers).await;
    // The message about the order shows that others go on, and so that inventory had its time.
    eventually("the customer is told of the order", async || {
        (app.count("notification.requested").await == 3).then_some(())
    })
    .await;
    let shown = consumer(&app, "inventory").await;
    assert_eq!((&shown["state"], &shown["why"]), (&json!("paused"), &json!("local: a test")), "{shown}");
    assert_eq!(shown["lag"]["events"], 1, "{shown}");
    assert_eq!(sum(&shown, "nextOffset"), sum(&before, "nextOffset"), "it has not moved");
    assert_eq!(app.stock_of("mug").await, (99, 1, 0));
    // The relay notes a little later than it publishes how far it has come.
    let why = eventually("the order waits for inventory", async || {
        let why = asked(&app, &format!("orders/{waiting}/why")).await;
        (why["code"] == "paused").then_some(why)
    })
    .await;
    assert!(why["sentence"].as_str().unwrap().contains("local has paused inventory: a test"), "{why}");

    let (status, done) = act(&app, "resume", json!({ "consumer": "inventory" })).await;
    assert_eq!((status, &done["outcome"]["ended"]), (200, &json!(["pause"])), "{done}");
    app.until(waiting, "confirmed").await;
    assert_eq!(app.stock_of("mug").await, (98, 2, 0));
    app.finish().await;
}

/// What a consumer asks others to do cannot be taken back, so a paused one asks for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_paused_consumer_sends_no_command() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 10).await;
    let before = app.place("mug", 1).await;
    app.until(before, "confirmed").await;
    caught_up(&app, "orders").await;
    let (status, _) = act(&app, "pause", json!({ "consumer": "orders" })).await;
    assert_eq!(status, 200);
    let order = app.place("mug", 1).await;
    eventually("stock is reserved, and `orders` has something to do", async || {
        let reserved = app.count("inventory.reserved").await == 2;
        (reserved && consumer(&app, "orders").await["lag"]["events"] == 1).then_some(())
    })
    .await;
    // The one who would confirm has met the event by the time it says that it is held.
    let answered = || async { app.metric(ordo::telemetry::names::CONSUMER_COMMANDS_TOTAL, &[]).await };
    let so_far = answered().await;
    for _ in 0..3 {
        let later = app.place("mug", 1).await;
        eventually("it is reserved", async || {
            let events: i64 = sqlx::query_scalar("select count(*) from log where stream_id = 'inventory:' || $1")
                .bind(later.to_string())
                .fetch_one(&app.database.db)
                .await
                .unwrap();
            (events == 1).then_some(())
        })
        .await;
    }
    assert_eq!(answered().await, so_far);
    assert_eq!(app.order(order).await.unwrap()["status"], "processing");
    let (status, _) = act(&app, "resume", json!({ "consumer": "orders" })).await;
    assert_eq!(status, 200);
    app.until(order, "confirmed").await;
    app.finish().await;
}
