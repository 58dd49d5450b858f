//! Why an order is where it is.

use std::process::Stdio;

use ordo::contracts::event_id;
use serde_json::{Value, json};
use tokio::process::Command;
use uuid::Uuid;

use super::asked;
use crate::support::{TestApp, eventually};

async fn why(app: &TestApp, id: Uuid) -> Value {
    asked(app, &format!("orders/{id}/why")).await
}

/// What `ordo <words>` prints and whether it ended well.
async fn ordo(app: &TestApp, words: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordo"));
    command.args(words).env("ORDO_OPS_URL", &app.ops).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_done_waits_for_nobody() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 1).await;
    let id = app.place("mug", 1).await;
    app.until(id, "confirmed").await;
    let confirmed = why(&app, id).await;
    assert_eq!(confirmed["code"], "no_automatic_step", "{confirmed}");
    assert_eq!(confirmed["facts"]["status"], "confirmed");
    let short = app.place("mug", 1).await;
    app.until(short, "rejected").await;
    assert_eq!(why(&app, short).await["code"], "ended");
    let settled = eventually("those who read orders have heard of it", async || {
        let told = why(&app, short).await;
        let consumers = told["facts"]["consumers"].as_array()?.clone();
        consumers.iter().all(|standing| standing["outcome"] != "not_reached").then_some(consumers)
    })
    .await;
    let names: Vec<&str> = settled.iter().map(|standing| standing["consumer"].as_str().unwrap()).collect();
    assert_eq!(names, ["inventory", "notification", "analytics"], "those who read orders");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_nobody_carries_on_says_who_is_missing() {
    let app = TestApp::start_roles("http").await;
    app.stock("mug", 100, 1).await;
    let id = app.place("mug", 1).await;
    let unpublished = why(&app, id).await;
    assert_eq!(unpublished["code"], "unpublished", "{unpublished}");
    assert!(unpublished["sentence"].as_str().unwrap().contains("role relay"), "{unpublished}");
    let mut relay = app.second_node("relay").await;
    let unowned = eventually("the relay has published it", async || {
        Some(why(&app, id).await).filter(|told| told["code"] != "unpublished")
    })
    .await;
    assert_eq!(unowned["code"], "unowned", "{unowned}");
    assert!(unowned["sentence"].as_str().unwrap().contains("role inventory"), "{unowned}");
    assert_eq!(unowned["facts"]["waitsFor"]["standing"]["topic"], "order.events");

    let nobody = why(&app, Uuid::nil()).await;
    assert_eq!((&nobody["code"], &nobody["facts"]["events"]), (&json!("unknown_order"), &json!(0)));
    let wrong = app.http.get(format!("{}/ops/v1/orders/mug/why", app.ops)).send().await.unwrap();
    assert_eq!(wrong.status(), 400);
    assert_eq!(wrong.json::<Value>().await.unwrap()["code"], "bad_id");
    relay.kill().await;
    app.finish().await;
}

/// Rows as a consumer leaves them that has failed at an order's first event.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_set_aside_says_when_it_is_tried_again_or_which_letter_it_is_behind() {
    let mut app = TestApp::start_roles("http,relay").await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 1).await;
    let id = app.place("mug", 1).await;
    let (db, stream) = (&app.database.db, format!("order:{id}"));
    let event = event_id(&stream, 1);
    let node: Uuid = sqlx::query_scalar("select node_id from node").fetch_one(db).await.unwrap();
    sqlx::query(
        "insert into checkpoint (subscription, source, partition, position, epoch, owner)
         select 'inventory', 'order.events', partition, position, 1, $1 from log_head",
    )
    .bind(node)
    .execute(db)
    .await
    .unwrap();
    sqlx::query(
        "insert into processed_event (subscription, event_id, state, source, partition, source_offset)
         values ('inventory', $1, 'parked', 'order.events', 0, 0)",
    )
    .bind(event)
    .execute(db)
    .await
    .unwrap();
    sqlx::query(
        "insert into parked_stream (subscription, stream_id, source, partition, class, error, retries, due_at, depth)
         values ('inventory', $1, 'order.events', 0, 'transient', 'the warehouse is away', 1, now() + interval '1 hour', 1)",
    )
    .bind(&stream)
    .execute(db)
    .await
    .unwrap();
    eventually("it is told when it is tried again", async || {
        let told = why(&app, id).await;
        let says = told["sentence"].as_str()?.contains("the warehouse is away");
        (told["code"] == "parked" && says).then_some(())
    })
    .await;

    let letter = Uuid::new_v4();
    sqlx::query(
        "insert into dead_letter (id, subscription, event_id, source, partition, source_offset, stream_id, version,
             event_type, header_names, header_values, class, stage, error_type, error, attempts, first_failed_at,
             last_failed_at, build)
         values ($1, 'inventory', $2, 'order.events', 0, 0, $3, 1, 'order.created', '{}', '{}', 'permanent', 'handle',
             'permanent', 'no such shelf', 5, now(), now(), 'test')",
    )
    .bind(letter)
    .bind(event)
    .bind(&stream)
    .execute(db)
    .await
    .unwrap();
    sqlx::query("update parked_stream set letter_id = $1, due_at = null").bind(letter).execute(db).await.unwrap();
    sqlx::query("update processed_event set state = 'dead'").execute(db).await.unwrap();
    let told = why(&app, id).await;
    assert_eq!(told["code"], "behind_letter", "{told}");
    let sentence = told["sentence"].as_str().unwrap();
    assert!(sentence.contains(&format!("ordo dlq show {letter}")) && sentence.contains("no such shelf"), "{sentence}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_prints_the_sentence_beside_its_own_verbs_of_orders() {
    let app = TestApp::start_roles("http,relay").await;
    app.stock("mug", 100, 1).await;
    let id = app.place("mug", 1).await.to_string();
    let (good, help, _) = ordo(&app, &["order", "--help"]).await;
    assert!(good && ["why", "place", "events"].iter().all(|verb| help.contains(verb)), "{help}");
    let (good, said, why) = ordo(&app, &["order", "why", &id]).await;
    assert!(good && said.starts_with(&format!("Order {id} waits")) && said.lines().count() == 1, "{said}{why}");
    let (good, whole, _) = ordo(&app, &["order", "why", &id, "--json"]).await;
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert!(good && whole["facts"]["waitsFor"]["event"]["eventType"] == "order.created", "{whole}");
    let (good, listed, _) = ordo(&app, &["consumers", "list"]).await;
    assert!(good && listed.contains("inventory") && listed.contains("unowned"), "{listed}");
    let (good, shown, _) = ordo(&app, &["consumers", "show", "orders"]).await;
    assert!(good && shown.contains("inventory.events"), "{shown}");

    let document = asked(&app, "openapi.json").await;
    let parameters = &document["paths"]["/ops/v1/orders/{orderId}/why"]["get"]["parameters"];
    assert_eq!((&parameters[0]["name"], &parameters[0]["in"]), (&json!("orderId"), &json!("path")), "{parameters}");
    assert_eq!(parameters.as_array().unwrap().len(), 1);
    app.finish().await;
}
