use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::json;

use crate::support::{TestApp, eventually, required};

async fn send(app: &TestApp, topic: &str, value: Option<&[u8]>, headers: OwnedHeaders) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", required("KAFKA_BROKERS")).create().unwrap();
    let topic = format!("{}{topic}", app.prefix);
    let mut record: BaseRecord<'_, str, [u8]> = BaseRecord::to(&topic).key("x").partition(0).headers(headers);
    if let Some(value) = value {
        record = record.payload(value);
    }
    producer.send(record).unwrap();
    producer.flush(Duration::from_secs(10)).unwrap();
}

fn header<'a>(headers: OwnedHeaders, key: &'a str, value: &'a str) -> OwnedHeaders {
    headers.insert(Header { key, value: Some(value) })
}

/// A well-formed event that the log does not have, at a position far ahead.
fn forged() -> OwnedHeaders {
    let stream = "order:0192f0c1-7c1e-7d6e-a4c1-0242ac120002";
    let id = ordo::contracts::event_id(stream, 1).to_string();
    let mut headers = OwnedHeaders::new();
    for (key, value) in [
        ("ce_id", id.as_str()),
        ("ce_type", "order.created"),
        ("ce_subject", stream),
        ("ce_streamversion", "1"),
        ("ce_schemaversion", "1"),
        ("ce_sequence", "00000000000000999999"),
        ("ordo_prev", "0"),
        ("ce_time", "2026-01-01T00:00:00Z"),
    ] {
        headers = header(headers, key, value);
    }
    headers
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_no_events_of_the_log_become_dead_letters_and_the_partition_goes_on() {
    let mut app = TestApp::start().await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 10).await;
    send(&app, "order.events", Some(b"\xff\xfe rubbish"), OwnedHeaders::new()).await;
    send(&app, "order.events", None, OwnedHeaders::new()).await;
    send(&app, "order.events", Some(b"{}"), header(OwnedHeaders::new(), "ce_type", "no.such.type")).await;
    send(&app, "order.events", Some(b"{}"), forged()).await;
    // Inventory, notification and analytics read this topic.
    eventually("each consumer has its letters", async || (app.dead_letters().await == 12).then_some(())).await;
    for _ in 0..6 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    eventually("the letters are published", async || {
        let left: i64 = sqlx::query_scalar("select count(*) from dead_letter where not published")
            .fetch_one(&app.database.db)
            .await
            .unwrap();
        (left == 0).then_some(())
    })
    .await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_fails_for_good_becomes_a_dead_letter_while_others_pass() {
    let mut app = TestApp::start().await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 100).await;
    app.stock("cursed", 100, 100).await;
    for fault in ["permanent", "panic", "transient"] {
        app.fault(&json!({ "subscription": "inventory", "text": "cursed", "fault": fault })).await;
        let before = app.dead_letters().await;
        let cursed = app.place("cursed", 1).await;
        let mut others = Vec::new();
        for _ in 0..10 {
            others.push(app.place("mug", 1).await);
        }
        for other in others {
            app.until(other, "confirmed").await;
        }
        eventually("the letter is written", async || (app.dead_letters().await == before + 1).then_some(())).await;
        assert_eq!(app.order(cursed).await.unwrap()["status"], "processing");
    }
    app.finish().await;
}
