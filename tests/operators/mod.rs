//! What operators see of several processes, and what they may do.

mod consumers;
mod control;
mod dead_letters;
mod faults;
pub mod letterbox;
mod replays;
mod why;

use std::collections::BTreeSet;
use std::process::Stdio;

use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{Database, TestApp, eventually};

async fn asked(app: &TestApp, path: &str) -> Value {
    app.http.get(format!("{}/ops/v1/{path}", app.ops)).send().await.unwrap().json().await.unwrap()
}

async fn acknowledge(app: &TestApp, body: &Value) -> Response {
    app.http.post(format!("{}/ops/v1/alarms/acknowledge", app.ops)).json(body).send().await.unwrap()
}

fn life_of<'a>(nodes: &'a Value, name: &str) -> Option<&'a str> {
    nodes["nodes"].as_array()?.iter().find(|node| node["name"] == name)?["life"].as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_listener_shows_every_node_and_one_that_falls_silent_is_unknown() {
    let quick = [("ORDO_SUPERVISION__SILENT_AFTER", "2s"), ("ORDO_SUPERVISION__NODE_NAME", "first")];
    let mut app = TestApp::start_with(&quick).await;
    let mut second = app.second_node_with("inventory,orders", &[("ORDO_SUPERVISION__NODE_NAME", "second")]).await;
    let nodes = eventually("both nodes are alive", async || {
        let nodes = asked(&app, "nodes").await;
        (life_of(&nodes, "first") == Some("alive") && life_of(&nodes, "second") == Some("alive")).then_some(nodes)
    })
    .await;
    let shown = nodes["nodes"].as_array().unwrap().iter().find(|node| node["name"] == "second").unwrap().clone();
    assert_eq!(shown["roles"], json!(["inventory", "orders"]));
    assert_eq!(format!("http://{}", shown["address"].as_str().unwrap()), second.ops);
    assert!(shown["clockAheadMs"].as_i64().unwrap().abs() < 1_000, "{shown}");

    let other = eventually("the second node's actors are shown by the first", async || {
        let tree = asked(&app, "supervision?limit=1000").await;
        let other = tree["others"].as_array().unwrap().iter().find(|other| other["node"] == "second")?.clone();
        let paths: BTreeSet<&str> =
            other["tree"].as_array()?.iter().filter_map(|actor| actor["path"].as_str()).collect();
        paths.contains("ordo/subscriptions/inventory").then_some(other.clone())
    })
    .await;
    assert_eq!(other["life"], "alive");
    assert!(other["workload"].as_array().is_some_and(|kinds| !kinds.is_empty()), "{other}");

    second.kill().await;
    eventually("the killed node is unknown", async || {
        (life_of(&asked(&app, "nodes").await, "second") == Some("unknown")).then_some(())
    })
    .await;
    let tree = asked(&app, "supervision").await;
    let other = tree["others"].as_array().unwrap().iter().find(|other| other["node"] == "second").unwrap();
    assert_eq!(other["life"], "unknown");

    app.signal("-TERM");
    app.ended().await;
    app.relaunch(&[("ORDO_SUPERVISION__NODE_NAME", "third")]);
    app.ready().await;
    assert_eq!(life_of(&asked(&app, "nodes").await, "first"), Some("stopped"), "it said goodbye");
    app.tolerates_crashes = true;
    app.finish().await;
}

/// A hole in the log: the relay of partition 0 stops with an alarm at the next event there.
async fn hole(app: &TestApp) -> Value {
    sqlx::query("update log_head set position = position + 1 where partition = 0")
        .execute(&app.database.db)
        .await
        .unwrap();
    eventually("an alarm is listed", async || {
        app.place("mug", 1).await;
        asked(app, "alarms").await["alarms"].as_array()?.iter().find(|alarm| alarm["code"] == "log_hole").cloned()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_listed_until_somebody_acknowledges_it_with_a_reason() {
    let app = TestApp::start_roles("http,relay").await;
    app.stock("mug", 100, 1).await;
    let alarm = hole(&app).await;
    assert_eq!(alarm["state"], "standing");
    let ids: Vec<Value> = asked(&app, "alarms").await["alarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alarm| alarm["alarmId"].clone())
        .collect();

    for (body, status, code) in [
        (json!({ "args": { "alarmIds": ids } }), 422, "invalid_field"),
        (json!({ "args": { "alarmIds": ids }, "reason": " " }), 422, "invalid_argument"),
        (json!({ "args": { "alarmIds": [] }, "reason": "mended" }), 422, "invalid_argument"),
        (json!({ "args": { "alarmIds": [uuid::Uuid::nil()] }, "reason": "mended" }), 404, "not_found"),
        (json!({ "args": { "alarmIds": ids }, "reason": "mended", "planId": uuid::Uuid::nil() }), 404, "not_found"),
    ] {
        let answer = acknowledge(&app, &body).await;
        let seen = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
        assert_eq!(seen.0, status, "{body}: {}", seen.1);
        assert_eq!(seen.1["code"], code, "{}", seen.1);
    }
    let untyped = app
        .http
        .post(format!("{}/ops/v1/alarms/acknowledge", app.ops))
        .body(json!({ "args": { "alarmIds": ids }, "reason": "mended" }).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(untyped.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "a page's form cannot send JSON");

    let tried = acknowledge(&app, &json!({ "args": { "alarmIds": ids }, "reason": "mended", "dryRun": true })).await;
    let tried: Value = tried.json().await.unwrap();
    assert_eq!(tried["outcome"]["acknowledged"], json!(ids.len()));
    assert_eq!(asked(&app, "alarms").await["alarms"].as_array().unwrap().len(), ids.len(), "a dry run changes nothing");
    assert_eq!(asked(&app, "operations").await["operations"], json!([]));

    let plan = json!({ "args": { "alarmIds": ids }, "reason": "mended", "planId": tried["planId"] });
    let done: Value = acknowledge(&app, &plan).await.json().await.unwrap();
    assert_eq!((done["dryRun"].clone(), done["plan"].clone()), (json!(false), tried["plan"].clone()));
    assert_eq!(acknowledge(&app, &plan).await.status(), StatusCode::NOT_FOUND, "a plan is executed once");
    assert_eq!(asked(&app, "alarms").await["alarms"], json!([]));
    let all = asked(&app, "alarms?all=true").await;
    assert_eq!(all["alarms"][0]["acknowledgedWhy"], "mended");
    let operation = asked(&app, "operations").await["operations"][0].clone();
    assert_eq!(
        (operation["caller"].clone(), operation["action"].clone(), operation["operationId"].clone()),
        (json!("local"), json!("alarms acknowledge"), done["operationId"].clone())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_asks_and_acts_with_the_same_words() {
    let app = TestApp::start_roles("http,relay").await;
    app.stock("mug", 100, 1).await;
    let alarm = hole(&app).await;
    let id = alarm["alarmId"].as_str().unwrap();
    let ordo = async |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ordo"));
        command.args(words).env("ORDO_OPS_URL", &app.ops).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (good, listed, _) = ordo(&["alarms", "list"]).await;
    assert!(good && listed.contains("log_hole") && listed.contains(id), "{listed}");
    let (good, _, said) = ordo(&["alarms", "acknowledge", id]).await;
    assert!(!good && said.contains("--reason"), "{said}");
    let (good, done, said) = ordo(&["alarms", "acknowledge", id, "--reason", "log restored", "--json"]).await;
    assert!(good && done.contains("operationId"), "{said}");
    let (good, _, said) = ordo(&["alarms", "acknowledge", id, "--reason", "log restored"]).await;
    assert!(!good && said.lines().count() == 1 && said.contains("no alarm"), "{said}");
    let (good, nodes, _) = ordo(&["nodes"]).await;
    assert!(good && nodes.contains("alive"), "{nodes}");
    let (good, tree, _) = ordo(&["supervision", "--path", "ordo/log"]).await;
    assert!(good && tree.contains("ordo/log/writer-0"), "{tree}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_always_required_once_there_is_one_and_a_viewer_only_looks() {
    let hash = "04f8996da763b7a969b1028ee3007569eaf3a635486ddab211d512c85b9df8fb"; // of "user"
    let tokens = format!("[{{name=\"ci\",role=\"viewer\",sha256=\"{hash}\"}}]");
    let app = TestApp::start_with(&[("ORDO_OPS__TOKENS", &tokens)]).await;
    let ask = async |token: Option<&str>| {
        let request = app.http.get(format!("{}/ops/v1/nodes", app.ops));
        let request = token.map_or(request.try_clone().unwrap(), |token| request.bearer_auth(token));
        request.send().await.unwrap().status()
    };
    assert_eq!(ask(None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(Some("guess")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(Some("user")).await, StatusCode::OK);
    let body = json!({ "args": { "alarmIds": [uuid::Uuid::nil()] }, "reason": "mended" });
    let act = app.http.post(format!("{}/ops/v1/alarms/acknowledge", app.ops)).bearer_auth("user").json(&body);
    assert_eq!(act.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let foreign = app.http.get(format!("{}/metrics", app.ops)).header(header::ORIGIN, "http://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_was_acknowledged_and_begins_again_is_listed_again() {
    use ordo::supervision::{Node, alarm, node};
    use ordo::telemetry::alarm::{Alarm, LOG_HOLE};
    let database = Database::create().await;
    let me = Node {
        id: ordo::clock::new_id(),
        name: "here".to_owned(),
        roles: vec!["relay".to_owned()],
        build: "test".to_owned(),
        address: "127.0.0.1:1".to_owned(),
    };
    node::beat(&me, &database.db).await.unwrap();
    let now = ordo::clock::now();
    let mut known = Alarm {
        id: ordo::clock::new_id(),
        code: LOG_HOLE,
        place: "relay on log partition 0".to_owned(),
        why: "hole\0".to_owned(),
        times: 1,
        raised_at: now,
        last_at: now,
        ended_at: None,
    };
    let states = async || -> Vec<String> {
        let listed = alarm::list(false, 10, 60.0, &database.db).await.unwrap();
        listed.into_iter().map(|alarm| alarm.state).collect()
    };
    alarm::save(std::slice::from_ref(&known), &me, &database.db).await.unwrap();
    assert_eq!(states().await, ["standing"]);
    let mut db = database.db.acquire().await.unwrap();
    assert_eq!(alarm::acknowledge(&[known.id], "ada", "seen", &mut db).await.unwrap(), 1);
    known.times = 2;
    alarm::save(std::slice::from_ref(&known), &me, &database.db).await.unwrap();
    assert!(states().await.is_empty(), "it goes on, and somebody knows");
    known.ended_at = Some(now);
    alarm::save(std::slice::from_ref(&known), &me, &database.db).await.unwrap();
    assert!(states().await.is_empty(), "it is over, and somebody knew");
    (known.times, known.ended_at) = (3, None);
    alarm::save(std::slice::from_ref(&known), &me, &database.db).await.unwrap();
    assert_eq!(states().await, ["standing"], "it began again");
    node::stop(&me, &database.db).await.unwrap();
    assert_eq!(states().await, ["unknown"], "whoever saw it is gone");
    drop(db);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_waits_for_postgres_ends_when_it_is_told_to() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_ordo"))
        .arg("serve")
        .env("DATABASE_URL", "postgres://ordo:x@127.0.0.1:1/ordo")
        .env("KAFKA_BROKERS", "127.0.0.1:1")
        .env("ORDO_HTTP__LISTEN", "127.0.0.1:0")
        .env("ORDO_OPS__LISTEN", "127.0.0.1:0")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = tokio::io::BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("Postgres does not answer yet") {
        line.clear();
        assert!(tokio::io::AsyncBufReadExt::read_line(&mut said, &mut line).await.unwrap() > 0, "it ended by itself");
    }
    let pid = process.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = tokio::time::timeout(std::time::Duration::from_secs(5), process.wait()).await;
    assert!(ended.expect("it ends").unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_is_refused_and_never_an_error_of_the_server() {
    let app = TestApp::start_roles("http").await;
    for path in [
        "dlq?consumer=%00",
        "dlq?since=-9000-01-01T00:00:00Z",
        "dlq?limit=-1",
        "dlq/export?stream=%00",
        "dlq/replays?consumer=%00",
        "dlq/show?letterId=x",
        "dlq/try?letterId=00000000-0000-0000-0000-000000000000&patch=%00",
        "operations?action=%00",
        "consumers/show?consumer=",
        "orders/%00/why",
    ] {
        let answer = app.http.get(format!("{}/ops/v1/{path}", app.ops)).send().await.unwrap();
        assert!(answer.status().as_u16() < 500, "{path}: {}", answer.text().await.unwrap());
    }
    for (path, args) in [
        ("dlq/discard", json!({ "consumer": "\0" })),
        ("dlq/discard", json!({ "until": "2999-01-01T00:00:00Z" })),
        ("dlq/replay", json!({ "letterIds": [], "patch": "no patch" })),
        ("consumers/pause", json!({ "consumer": "\0" })),
        ("consumers/seek", json!({ "consumer": "inventory", "topic": "\0", "partition": 0, "offset": 0 })),
    ] {
        let body = json!({ "args": args, "reason": "a test" });
        let answer = app.http.post(format!("{}/ops/v1/{path}", app.ops)).json(&body).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path} {args}: {}", answer.text().await.unwrap());
    }
    app.finish().await;
}
