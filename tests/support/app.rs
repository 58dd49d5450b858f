//! The real binary as a process: started, asked over REST, killed.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::{Database, eventually, required};

/// An order as REST shows it.
pub type Order = Value;

/// A shop of a test's own: database, topics, groups, and one process or more.
pub struct TestApp {
    pub database: Database,
    pub prefix: String,
    pub url: String,
    pub ops: String,
    pub http: reqwest::Client,
    process: Child,
    environment: Vec<(String, String)>,
    log: Option<PathBuf>,
    /// Restarts and dead letters this test causes itself.
    pub tolerates_crashes: bool,
    pub tolerates_dead_letters: bool,
}

impl TestApp {
    /// All roles, ready.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// All roles with more environment, ready.
    pub async fn start_with(environment: &[(&str, &str)]) -> Self {
        Self::start_on(Database::create().await, environment).await
    }

    /// All roles on a database made for it, ready.
    pub async fn start_on(database: Database, environment: &[(&str, &str)]) -> Self {
        let prefix = format!("{}.", database.name);
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let app = Self::launch(database, prefix, environment, &[]);
        app.ready().await;
        app
    }

    /// All roles with more environment, ready, and what they log at hand: as JSON, from `info` up.
    pub async fn start_logged(environment: &[(&str, &str)]) -> Self {
        let database = Database::create().await;
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.log", database.name));
        let environment = environment.iter().chain(&[("ORDO_LOG__FORMAT", "json"), ("ORDO_LOG__FILTER", "info")]);
        let environment = environment.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let prefix = format!("{}.", database.name);
        let app = Self::launch_logged(database, prefix, environment, &[], Some(log));
        app.ready().await;
        app
    }

    /// Only these roles, ready.
    pub async fn start_roles(roles: &str) -> Self {
        Self::start_roles_on(Database::create().await, roles).await
    }

    /// Only these roles on a database made for them, ready.
    pub async fn start_roles_on(database: Database, roles: &str) -> Self {
        let prefix = format!("{}.", database.name);
        let app = Self::launch(database, prefix, Vec::new(), &["--roles", roles]);
        app.ready().await;
        app
    }

    fn launch(database: Database, prefix: String, environment: Vec<(String, String)>, arguments: &[&str]) -> Self {
        Self::launch_logged(database, prefix, environment, arguments, None)
    }

    fn launch_logged(
        database: Database,
        prefix: String,
        environment: Vec<(String, String)>,
        arguments: &[&str],
        log: Option<PathBuf>,
    ) -> Self {
        let (process, url, ops) = spawn(&database.url, &prefix, &environment, arguments, log.as_deref());
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        Self {
            database,
            prefix,
            url,
            ops,
            http,
            process,
            environment,
            log,
            tolerates_crashes: false,
            tolerates_dead_letters: false,
        }
    }

    /// Until every dependency and consumer is as it should be.
    pub async fn ready(&self) {
        eventually("the service is ready", async || {
            let answer = self.http.get(format!("{}/readyz", self.url)).send().await.ok()?;
            is_ready(&answer.json().await.ok()?).then_some(())
        })
        .await;
    }

    /// Until it is ready, or has ended because a crash point came first.
    pub async fn ready_or_ended(&mut self) {
        eventually("the service is ready or has ended", async || {
            if self.process.try_wait().unwrap().is_some() {
                return Some(());
            }
            let answer = self.http.get(format!("{}/readyz", self.url)).send().await.ok()?;
            is_ready(&answer.json().await.ok()?).then_some(())
        })
        .await;
    }

    /// SIGKILL, as a crash of the machine would.
    pub async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.process.id().expect("the process runs")
    }

    /// A signal to the process, such as `-CONT`.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Until the process has ended by itself.
    pub async fn ended(&mut self) {
        tokio::time::timeout(Duration::from_secs(40), self.process.wait()).await.expect("it ends").unwrap();
    }

    /// Starts it again on the same data, with other environment.
    pub async fn restart_with(&mut self, environment: &[(&str, &str)]) {
        self.relaunch(environment);
        self.ready().await;
    }

    /// Starts it again without waiting.
    pub fn relaunch(&mut self, environment: &[(&str, &str)]) {
        let all: Vec<(String, String)> = self
            .environment
            .iter()
            .cloned()
            .chain(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
            .collect();
        (self.process, self.url, self.ops) = spawn(&self.database.url, &self.prefix, &all, &[], self.log.as_deref());
    }

    /// A second node on the same data, with these roles.
    pub async fn second_node(&self, roles: &str) -> Node {
        self.second_node_with(roles, &[]).await
    }

    /// A second node with more environment.
    pub async fn second_node_with(&self, roles: &str, environment: &[(&str, &str)]) -> Node {
        let more = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Vec<(String, String)> = self.environment.iter().cloned().chain(more).collect();
        let (process, url, ops) = spawn(&self.database.url, &self.prefix, &environment, &["--roles", roles], None);
        eventually("the second node answers", async || {
            let answer = self.http.get(format!("{ops}/livez")).send().await.ok()?;
            // With tokens it answers that it needs one.
            (answer.status().is_success() || answer.status() == StatusCode::UNAUTHORIZED).then_some(())
        })
        .await;
        Node { url, ops, http: self.http.clone(), process }
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.http.post(format!("{}{path}", self.url)).json(body).send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    /// A product with stock.
    pub async fn stock(&self, product: &str, price: u32, quantity: u32) {
        let body = json!({ "productId": product, "name": product, "price": { "amount": price, "currency": "EUR" } });
        assert_eq!(self.post("/v1/products", &body).await.status(), StatusCode::CREATED);
        let receipt = self.post(&format!("/v1/inventory/{product}/receipts"), &json!({ "quantity": quantity })).await;
        assert_eq!(receipt.status(), StatusCode::CREATED);
    }

    /// Places an order, which must be accepted.
    pub async fn place(&self, product: &str, quantity: u32) -> Uuid {
        let answer = self.post("/v1/orders", &wish(product, quantity)).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let answer: Value = answer.json().await.unwrap();
        answer["orderId"].as_str().unwrap().parse().unwrap()
    }

    pub async fn order(&self, id: Uuid) -> Option<Order> {
        let answer = self.http.get(format!("{}/v1/orders/{id}", self.url)).send().await.ok()?;
        if answer.status().is_success() { answer.json().await.ok() } else { None }
    }

    /// Until the order stands there.
    pub async fn until(&self, id: Uuid, status: &str) -> Order {
        eventually(&format!("order {id} is {status}"), async || {
            self.order(id).await.filter(|order| order["status"] == status)
        })
        .await
    }

    pub async fn stock_of(&self, product: &str) -> (i64, i64, i64) {
        let answer: Value = self.get(&format!("/v1/inventory/{product}")).await.json().await.unwrap();
        let count = |field: &str| answer[field].as_i64().unwrap();
        (count("available"), count("reserved"), count("shipped"))
    }

    /// What `ordo <words>` prints and whether it ended well.
    pub async fn ordo(&self, words: &[&str]) -> (bool, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ordo"));
        command.args(words).env("ORDO_URL", &self.url).env("ORDO_OPS_URL", &self.ops).stdin(Stdio::null());
        let output = command.kill_on_drop(true).output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    }

    /// Uses the fault hook of the ops listener.
    pub async fn fault(&self, body: &Value) {
        let answer = self.http.post(format!("{}/ops/v1/faults", self.ops)).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    }

    pub async fn supervision(&self) -> Value {
        self.http.get(format!("{}/ops/v1/supervision", self.ops)).send().await.unwrap().json().await.unwrap()
    }

    /// The first line of the log that fits.
    pub fn line(&self, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let text = std::fs::read_to_string(self.log.as_ref().expect("it was started with a log")).unwrap();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).find(fits)
    }

    /// What `/metrics` says.
    pub async fn metrics(&self) -> String {
        self.http.get(format!("{}/metrics", self.ops)).send().await.unwrap().text().await.unwrap()
    }

    /// The sum of the series of one name whose labels hold all of `labels`, such as `code="log_hole"`.
    pub async fn metric(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let text = self.metrics().await;
        let series = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
        let values: Vec<f64> = series
            .filter(|line| labels.iter().all(|label| line.contains(label)))
            .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// How many events of a type the log has.
    pub async fn count(&self, event_type: &str) -> i64 {
        sqlx::query_scalar("select count(*) from log where event_type = $1")
            .bind(event_type)
            .fetch_one(&self.database.db)
            .await
            .unwrap()
    }

    pub async fn dead_letters(&self) -> i64 {
        sqlx::query_scalar("select count(*) from dead_letter").fetch_one(&self.database.db).await.unwrap()
    }

    /// Asserts that nothing was left behind that this test did not cause, and drops what was its own. A crash because a
    /// server did not answer is no failure: it says that the machine was busy, not that the code is wrong.
    pub async fn finish(mut self) {
        if !self.tolerates_dead_letters {
            assert_eq!(self.dead_letters().await, 0, "dead letters were left");
        }
        if !self.tolerates_crashes {
            let answer = self.supervision().await;
            let is_ours = |fact: &&Value| fact["what"] == "crashed" && fact["cause"] != "dependency_down";
            let crashes: Vec<&Value> = answer["history"].as_array().unwrap().iter().filter(is_ours).collect();
            assert!(crashes.is_empty(), "actors crashed: {crashes:#?}");
        }
        self.process.kill().await.unwrap();
        let report = ordo::event_store::verify::verify(&self.database.db, |_| {}).await.unwrap();
        assert_eq!((report.violations, report.examples), (0, vec![]));
        self.database.drop().await;
        if let Some(log) = self.log {
            std::fs::remove_file(log).expect("the log is there");
        }
    }
}

/// One more process.
pub struct Node {
    pub url: String,
    pub ops: String,
    pub http: reqwest::Client,
    process: Child,
}

impl Node {
    /// SIGKILL.
    pub async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.process.id().expect("the node runs")
    }
}

/// Whether a process is under SIGSTOP.
pub fn is_frozen(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

fn is_ready(readiness: &Value) -> bool {
    readiness["status"] == "ok"
}

pub fn wish(product: &str, quantity: u32) -> Value {
    json!({ "userId": "ada", "items": [{ "productId": product, "quantity": quantity }] })
}

fn spawn(
    url: &str,
    prefix: &str,
    environment: &[(String, String)],
    arguments: &[&str],
    log: Option<&Path>,
) -> (Child, String, String) {
    let named = |name: &str| environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let rest = named("ORDO_HTTP__LISTEN").unwrap_or_else(|| format!("127.0.0.1:{}", free_port()));
    let ops = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordo"));
    command
        .arg("serve")
        .args(arguments)
        .env("DATABASE_URL", url)
        .env("KAFKA_BROKERS", required("KAFKA_BROKERS"))
        .env("ORDO_KAFKA__TOPIC_PREFIX", prefix)
        .env("ORDO_KAFKA__SESSION_TIMEOUT", "6s")
        .env("ORDO_SUBSCRIPTION__SUSPECT_WAIT", "200ms")
        .env("ORDO_SUBSCRIPTION__PARKED_RETRIES", "300ms 300ms 300ms")
        .env("ORDO_POSTGRES__POOL", "12")
        .env("ORDO_POSTGRES__ACQUIRE_TIMEOUT", "10s")
        .env("ORDO_HTTP__LISTEN", &rest)
        .env("ORDO_OPS__LISTEN", &ops)
        .env("ORDO_LOG__FILTER", std::env::var("ORDO_TEST_LOG").unwrap_or_else(|_| "warn".to_owned()))
        .envs(environment.iter().cloned())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    if let Some(log) = log {
        let file = File::options().create(true).append(true).open(log).expect("the log can be written");
        command.stderr(file);
    }
    let process = command.spawn().expect("the binary starts");
    (process, format!("http://{rest}"), format!("http://{ops}"))
}

/// Each port once a run, and below those that outgoing connections are given: between here and the service's own listening
/// any of those may be taken.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id().wrapping_mul(131).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + u16::try_from(next % 8_000).expect("a small number");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
