//! Answers as they change, over the wire.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

/// Reads events of a stream until one fits.
struct Stream {
    response: reqwest::Response,
    rest: String,
}

impl Stream {
    async fn of(app: &TestApp, questions: &[&str]) -> Self {
        let http = reqwest::Client::new();
        let asks: Vec<(&str, &str)> = questions.iter().map(|question| ("ask", *question)).collect();
        let response = http.get(format!("{}/ops/v1/live", app.ops)).query(&asks).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, rest: String::new() }
    }

    /// The next event, if the stream does not end before.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.rest = rest;
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let (Some(name), Some(data)) = (field("event: "), field("data: ")) {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
                continue;
            }
            let piece = self.response.chunk().await.ok()??;
            self.rest.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    async fn until(&mut self, what: &str, fits: impl Fn(&str, &Value) -> bool) -> Value {
        let found = async {
            loop {
                let (name, data) = self.next().await.expect("the stream goes on");
                if fits(&name, &data) {
                    return data;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), found).await.unwrap_or_else(|_| panic!("never: {what}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_is_told_everything_once_and_then_what_changes() {
    let app = TestApp::start().await;
    let mut stream = Stream::of(&app, &["consumers", "nodes", "rubbish?x=1"]).await;
    let snapshot = stream.until("the consumers", |name, data| name == "snapshot" && data["channel"] == 0).await;
    assert_eq!(snapshot["value"]["consumers"].as_array().unwrap().len(), 4);
    let problem =
        stream.until("that there is no such question", |name, data| name == "problem" && data["channel"] == 2).await;
    assert_eq!(problem["status"], 404);
    let (is_done, ..) = app.ordo(&["consumers", "pause", "orders", "--reason", "a look"]).await;
    assert!(is_done);
    let is_pause =
        |name: &str, data: &Value| name == "patch" && data["channel"] == 0 && data.to_string().contains("a look");
    let patch = stream.until("the pause", is_pause).await;
    let rows =
        patch["changes"].as_array().unwrap().iter().find(|change| change["rows"] == json!(["consumers"])).unwrap();
    assert_eq!(rows["changed"]["orders"]["state"], "paused");
    assert!(rows["changed"].get("inventory").is_none() || rows["order"].as_array().unwrap().len() == 4);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_goodbye_when_its_listener_stops_and_does_not_keep_it() {
    let mut app = TestApp::start().await;
    let mut stream = Stream::of(&app, &["overview"]).await;
    stream.until("the overview", |name, _| name == "snapshot").await;
    app.signal("-TERM");
    stream.until("the goodbye", |name, _| name == "bye").await;
    assert!(stream.next().await.is_none(), "nothing follows it");
    app.ended().await;
    app.relaunch(&[]);
    app.ready().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_nothing_or_too_much_is_told_so() {
    let app = TestApp::start().await;
    let many: Vec<String> = (0..17).map(|number| format!("ask=consumers%3Fx%3D{number}")).collect();
    for query in [String::new(), "ask=".to_owned(), many.join("&")] {
        let answer = app.http.get(format!("{}/ops/v1/live?{query}", app.ops)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
    }
    app.finish().await;
}
