use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;

use super::collector::{Collector, hanging, hex};
use crate::support::{TestApp, eventually, wish};

/// What a confirmed order's trace holds, whatever the order in which it came.
const STORY: [&str; 8] = [
    "POST /v1/orders",
    "order place",
    "append",
    "publish order.events",
    "decide inventory",
    "publish inventory.events",
    "decide orders",
    "order confirm",
];

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_request_to_confirmed() {
    let collector = Collector::start().await;
    let app = TestApp::start_with(&[("ORDO_TRACE__ENDPOINT", &collector.endpoint)]).await;
    app.stock("mug", 100, 5).await;
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let caller = "00f067aa0ba902b7";
    let request = app.http.post(format!("{}/v1/orders", app.url)).json(&wish("mug", 1));
    let answer = request.header("traceparent", format!("00-{trace_id}-{caller}-01")).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    app.until(answer["orderId"].as_str().unwrap().parse().unwrap(), "confirmed").await;

    let spans = eventually("every part of the order has told its span", async || {
        let spans = collector.of_trace(trace_id);
        let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
        let folded = spans.iter().filter(|span| span.name.starts_with("fold order_view")).count();
        let notified = spans.iter().filter(|span| span.name == "decide notification").count();
        (STORY.iter().all(|name| names.contains(name)) && folded == 2 && notified == 2).then_some(spans)
    })
    .await;

    let by_id: HashMap<&[u8], &Span> = spans.iter().map(|span| (span.span_id.as_slice(), span)).collect();
    let ancestry = |span: &Span| {
        let (mut names, mut above) = (Vec::new(), span.parent_span_id.as_slice());
        while let Some(parent) = by_id.get(above) {
            names.push(parent.name.clone());
            above = &parent.parent_span_id;
        }
        assert_eq!(hex(above), caller, "{} does not lead back to the caller", span.name);
        names
    };
    for span in &spans {
        ancestry(span);
    }
    let confirm = spans.iter().find(|span| span.name == "order confirm").unwrap();
    assert_eq!(ancestry(confirm), ["decide orders", "decide inventory", "order place", "POST /v1/orders"]);
    // Every event of the story remembers the trace, so that whoever reads it later still belongs to it.
    let traced: i64 = sqlx::query_scalar(
        "select count(*) from log where stream_id like any ('{order:%,inventory:%}') and meta like '%' || $1 || '%'",
    )
    .bind(trace_id)
    .fetch_one(&app.database.db)
    .await
    .unwrap();
    assert_eq!(traced, 3);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_does_not_sample_is_not_traced_and_only_callers_begin_traces() {
    let collector = Collector::start().await;
    let app = TestApp::start_with(&[("ORDO_TRACE__ENDPOINT", &collector.endpoint), ("ORDO_TRACE__SAMPLE", "0")]).await;
    app.stock("mug", 100, 5).await;
    let not_sampled = app.place("mug", 1).await;
    app.until(not_sampled, "confirmed").await;
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    let request = app.http.post(format!("{}/v1/orders", app.url)).json(&wish("mug", 1));
    let request = request.header("traceparent", format!("00-{trace_id}-b7ad6b7169203331-01"));
    assert!(request.send().await.unwrap().status().is_success());
    eventually("the sampled order is told", async || {
        collector.of_trace(trace_id).iter().any(|span| span.name == "order confirm").then_some(())
    })
    .await;
    // What came before it would have come by now: spans leave in the order they end.
    assert_eq!(collector.of_others(trace_id), Vec::<String>::new());
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_slows_no_order_and_no_stop() {
    let (endpoint, held) = hanging().await;
    let environment = [("ORDO_TRACE__ENDPOINT", endpoint.as_str()), ("ORDO_TRACE__TIMEOUT", "60s")];
    let mut app = TestApp::start_logged(&environment).await;
    app.stock("mug", 100, 50).await;
    for _ in 0..20 {
        let order = app.place("mug", 1).await;
        app.until(order, "confirmed").await;
    }
    eventually("an export hangs", async || (!held.lock().unwrap().is_empty()).then_some(())).await;
    app.signal("-TERM");
    app.ended().await;
    let ended = ordo::clock::now();
    let stopped = app.line(|line| line["message"] == "stopped").expect("it says that it has stopped");
    let stopped: DateTime<Utc> = stopped["timestamp"].as_str().unwrap().parse().unwrap();
    let delay = (ended - stopped).to_std().unwrap();
    assert!(delay < Duration::from_secs(2), "it ended {delay:?} after it had stopped");
    // Only to be put away: what this start meets on a busy machine is not looked at here.
    app.tolerates_crashes = true;
    app.restart_with(&[("ORDO_TRACE__ENDPOINT", "")]).await;
    app.finish().await;
}
