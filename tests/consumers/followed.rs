//! Consumers of another program: the example `loyalty` beside a running ordo, and names that are refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ordo::config::Config;
use ordo::event_store::Partitions;
use ordo::kafka::Topics;
use ordo::subscription::{Consumer, listed, reads};
use ordo::{app, kafka};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::support::{TestApp, eventually, required};

/// The example, which `cargo test` builds along, beside the binary.
fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_ordo")).with_file_name("examples").join("loyalty");
    assert!(path.exists(), "{} is not there; cargo build --features crash-points --example loyalty", path.display());
    path
}

fn command(app: &TestApp, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .env("DATABASE_URL", &app.database.url)
        .env("ORDO_ADMIN_DATABASE_URL", &app.database.owner_url)
        .env("KAFKA_BROKERS", required("KAFKA_BROKERS"))
        .env("ORDO_KAFKA__TOPIC_PREFIX", &app.prefix)
        .env("ORDO_KAFKA__SESSION_TIMEOUT", "6s")
        .env("ORDO_POSTGRES__POOL", "6")
        .env("ORDO_POSTGRES__ACQUIRE_TIMEOUT", "10s")
        .env("ORDO_LOG__FILTER", std::env::var("ORDO_TEST_LOG").unwrap_or_else(|_| "warn".to_owned()))
        .envs(environment.iter().copied())
        .kill_on_drop(true);
    command
}

fn serve(app: &TestApp, environment: &[(&str, &str)]) -> Child {
    command(app, &["serve"], environment).spawn().expect("the example starts")
}

/// Points by user, and the orders they are for.
type Points = BTreeMap<String, (i64, i64)>;

/// Places orders of mugs at 12.50 euro, in quantities of which some make whole euros and others do not; remembers what
/// they are worth.
async fn place(app: &TestApp, orders: u32, expected: &mut Points) {
    for number in 0..orders {
        let (user, quantity) = (["ada", "bob", "cyd"][number as usize % 3], 1 + number % 4);
        let wish = json!({ "userId": user, "items": [{ "productId": "mug", "quantity": quantity }] });
        assert_eq!(app.post("/v1/orders", &wish).await.status(), StatusCode::ACCEPTED);
        let (points, orders) = expected.entry(user.to_owned()).or_default();
        (*points, *orders) = (*points + i64::from(quantity * 1250 / 100), *orders + 1);
    }
}

async fn points(app: &TestApp) -> Points {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as("select user_id, points, orders from loyalty.points")
        .fetch_all(&app.database.db)
        .await
        .unwrap_or_default();
    rows.into_iter().map(|(user, points, orders)| (user, (points, orders))).collect()
}

/// Whether every order placed is confirmed and the place of `loyalty` is past the last of them.
async fn has_caught_up(app: &TestApp, placed: i64) -> bool {
    let behind: i64 = sqlx::query_scalar(
        "select count(*) from log where event_type = 'order.confirmed' and position > coalesce((select c.position \
         from checkpoint c where c.subscription = 'loyalty' and c.source = 'order.events' \
         and c.partition = log.partition), 0)",
    )
    .fetch_one(&app.database.db)
    .await
    .unwrap();
    behind == 0 && app.count("order.confirmed").await == placed
}

async fn node(app: &TestApp, name: &str) -> Option<Value> {
    let answer: Value = app.http.get(format!("{}/ops/v1/nodes", app.ops)).send().await.ok()?.json().await.ok()?;
    answer["nodes"].as_array()?.iter().find(|node| node["name"] == name).cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn points_of_another_program_are_given_once_however_it_dies() {
    let app = TestApp::start().await;
    app.stock("mug", 1250, 10_000).await;
    let mut expected = Points::new();
    place(&app, 9, &mut expected).await;
    // Once with its effects made and not committed, once with them committed and Kafka not told.
    for point in ["pass.handled@1", "pass.committed@1"] {
        let mut process = serve(&app, &[("ORDO_CRASH_AT", point)]);
        let ended = tokio::time::timeout(Duration::from_secs(40), process.wait()).await;
        assert!(!ended.expect("the crash point is met").unwrap().success());
    }
    let given = points(&app).await;
    assert!(!given.is_empty() && given.values().all(|(points, orders)| *points > 0 && *orders > 0), "{given:?}");

    let mut process = serve(&app, &[]);
    place(&app, 20, &mut expected).await;
    eventually("more points arrive", async || (points(&app).await != given).then_some(())).await;
    process.kill().await.unwrap();
    place(&app, 11, &mut expected).await;
    let mut process = serve(&app, &[("ORDO_SUPERVISION__NODE_NAME", "third")]);
    eventually("everything is worked off", async || has_caught_up(&app, 40).await.then_some(())).await;
    assert_eq!(points(&app).await, expected);

    // It is one of the system's processes, at an address of its own.
    let node_of = async |life: &str| {
        eventually(&format!("the node is {life}"), async || {
            node(&app, "third").await.filter(|node| node["life"] == life)
        })
        .await
    };
    let third = node_of("alive").await;
    assert_eq!(third["roles"], json!(["loyalty"]));
    let asked = async |path: &str| -> Value {
        let url = format!("http://{}/{path}", third["address"].as_str().unwrap());
        app.http.get(url).send().await.unwrap().json().await.unwrap()
    };
    let known = asked("ops/v1/consumers").await;
    let loyalty = known["consumers"].as_array().unwrap().iter().find(|known| known["consumer"] == "loyalty");
    assert_eq!(loyalty.expect("it knows its own")["counts"]["applied"], 40, "{known}");
    let ready = asked("readyz").await;
    let finding = ready["findings"].as_array().unwrap().iter().find(|finding| finding["name"] == "consumer loyalty");
    assert_eq!(finding.expect("it tells of its consumer")["status"], "ok", "{ready}");

    let pid = process.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(process.wait().await.unwrap().success());
    node_of("stopped").await;

    let shown = command(&app, &["show"], &[]).output().await.unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    for (user, (points, orders)) in &expected {
        let row = [user.as_str(), &points.to_string(), &orders.to_string()];
        assert!(shown.lines().any(|line| line.split_whitespace().eq(row)), "{row:?} is not in\n{shown}");
    }
    app.finish().await;
}

#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {}

reads! {
    enum Reads {
        "order.created" => Created(About),
    }
}

/// Has the name, and so the group, of a consumer of ordo's own.
struct Impostor;

impl Consumer for Impostor {
    const NAME: &'static str = "inventory";
    const TOPICS: &'static [&'static str] = &["order.events"];
    type Reads = Reads;
}

/// Needs no server: it is refused before anything is opened.
#[tokio::test]
async fn a_consumer_named_as_one_of_ordos_own_is_refused_with_both_places() {
    let here = format!("{}:{}:", file!(), line!() + 1);
    let refused = app::follow(Config::default(), vec![listed(Impostor)]).await.unwrap_err().to_string();
    assert!(refused.contains("\"inventory\"") && refused.contains(&here), "{refused}");
    assert!(refused.contains("rename") && refused.lines().count() == 1, "{refused}");
    // The other place is the line of the list that names inventory.
    let (list, list_text) = ("src/consumers/mod.rs", include_str!("../../src/consumers/mod.rs"));
    let number =
        refused.split(&format!("{list}:")).nth(1).unwrap().split(':').next().unwrap().parse::<usize>().unwrap();
    let line = list_text.lines().nth(number - 1).unwrap();
    assert!(line.contains("listed(inventory::"), "{refused}: {line}");
}

/// Whoever publishes dead letters meets those of consumers it was never told of, and no broker makes a topic by itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_letters_of_a_consumer_that_nobody_here_listed_get_their_topic() {
    let brokers = required("KAFKA_BROKERS");
    let topic_prefix = format!("letters_{}.", Uuid::new_v4().simple());
    let config = kafka::Config { brokers: brokers.clone(), topic_prefix, ..kafka::Config::default() };
    let topics = Topics::new(config.clone(), Partitions::new(1).unwrap(), &["inventory"]);
    let client: BaseConsumer = ClientConfig::new().set("bootstrap.servers", &brokers).create().unwrap();
    let is_there = |topic: &str| {
        let there = client.fetch_metadata(None, Duration::from_secs(5)).unwrap();
        there.topics().iter().any(|known| known.name() == config.prefixed(topic))
    };
    topics.ensure().await.unwrap();
    assert!(is_there("dlq.inventory") && !is_there("dlq.loyalty"));
    topics.with_letters_of(["loyalty"]).await;
    topics.ensure().await.unwrap();
    eventually("the topic is there", async || is_there("dlq.loyalty").then_some(())).await;
}
