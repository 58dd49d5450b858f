use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestApp, eventually, wish};

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letters_line_names_order_event_correlation_and_trace() {
    let mut app = TestApp::start_logged(&[]).await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 5).await;
    app.fault(&json!({ "subscription": "notification", "text": "mug", "fault": "permanent" })).await;
    let (correlation, trace_id) = (Uuid::from_u128(7), "4bf92f3577b34da6a3ce929d0e0e4736");
    let request = app.http.post(format!("{}/v1/orders", app.url)).json(&wish("mug", 1));
    let request = request.header("x-request-id", correlation.to_string());
    let answer = request.header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01")).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    let stream = format!("order:{}", answer["orderId"].as_str().unwrap());

    let given_up = |line: &Value| line["message"].as_str().is_some_and(|text| text.starts_with("event given up"));
    let line = eventually("the letter is logged", async || app.line(given_up)).await;
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["subscription"], "notification");
    assert_eq!(line["stream_id"], stream);
    assert_eq!(line["event_id"], ordo::contracts::event_id(&stream, 1).to_string());
    assert_eq!(line["correlation_id"], correlation.to_string());
    assert_eq!(line["trace_id"], trace_id);
    // The line that tells of the try before it names the same event.
    let failed = app.line(|line| line["message"] == "batch rolled back" && line["events"] == 1).expect("a try failed");
    assert_eq!(failed["event_id"], line["event_id"]);
    app.finish().await;
}
