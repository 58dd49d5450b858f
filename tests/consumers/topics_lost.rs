//! Topics that are emptied, cut or made again behind everybody's back: published again from the log, applied once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use crate::support::{TestApp, eventually, required};

fn admin() -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", required("KAFKA_BROKERS")).create().unwrap()
}

fn reader(app: &TestApp) -> BaseConsumer {
    let group = format!("{}reader", app.prefix);
    ClientConfig::new()
        .set("bootstrap.servers", required("KAFKA_BROKERS"))
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .create()
        .unwrap()
}

async fn delete(app: &TestApp, topic: &str) {
    let name = format!("{}{topic}", app.prefix);
    admin().delete_topics(&[&name], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
}

/// Versions of each stream in the order the topic holds them.
fn versions(app: &TestApp, topic: &str) -> HashMap<String, Vec<i32>> {
    let (consumer, name) = (reader(app), format!("{}{topic}", app.prefix));
    let mut streams: HashMap<String, Vec<i32>> = HashMap::new();
    for partition in 0..i32::from(app.database.partitions.count()) {
        let (low, high) = consumer.fetch_watermarks(&name, partition, Duration::from_secs(5)).unwrap();
        if low == high {
            continue;
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&name, partition, Offset::Offset(low)).unwrap();
        consumer.assign(&list).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            assert!(Instant::now() < deadline, "{topic} {partition} cannot be read to its end");
            let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
            let message = message.unwrap();
            let headers = message.headers().unwrap();
            let text = |name: &str| {
                let header = headers.iter().find(|header| header.key == name).and_then(|header| header.value);
                String::from_utf8(header.unwrap().to_vec()).unwrap()
            };
            streams.entry(text("ce_subject")).or_default().push(text("ce_streamversion").parse().unwrap());
            if message.offset() + 1 == high {
                break;
            }
        }
    }
    streams
}

/// First occurrences in version order, none left out.
fn is_whole(versions: &[i32], last: i32) -> bool {
    let mut next = 1;
    for version in versions {
        if *version > next {
            return false;
        }
        next = next.max(version + 1);
    }
    next == last + 1
}

async fn log_versions(app: &TestApp, prefix: &str) -> Vec<(String, i32)> {
    sqlx::query_as("select stream_id, max(version) from log where stream_id like $1 || ':%' group by 1")
        .bind(prefix)
        .fetch_all(&app.database.db)
        .await
        .unwrap()
}

async fn alarms(app: &TestApp) -> Vec<Value> {
    let answer = app.http.get(format!("{}/ops/v1/alarms", app.ops)).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["alarms"].as_array().unwrap().clone()
}

async fn whole(app: &TestApp, topic: &str, prefix: &str) {
    let expected = log_versions(app, prefix).await;
    eventually(&format!("{topic} holds everything again"), async || {
        let held = versions(app, topic);
        expected.iter().all(|(stream, last)| held.get(stream).is_some_and(|held| is_whole(held, *last))).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_again_while_orders_flow_is_filled_from_the_log_and_nothing_is_applied_twice() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1_000).await;
    for _ in 0..10 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    delete(&app, "order.events").await;
    let mut orders = Vec::new();
    for _ in 0..20 {
        orders.push(app.place("mug", 1).await);
    }
    for id in orders {
        app.until(id, "confirmed").await;
    }
    whole(&app, "order.events", "order").await;
    assert_eq!(app.stock_of("mug").await, (970, 30, 0), "each order has its one mug");
    assert!(alarms(&app).await.iter().any(|alarm| alarm["code"] == "topic_lost"), "{:?}", alarms(&app).await);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_lost_while_nobody_publishes_is_published_again_from_the_log() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1_000).await;
    for _ in 0..10 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    app.signal("-TERM");
    app.ended().await;
    for topic in ["order.events", "inventory.events", "order.created"] {
        delete(&app, topic).await;
    }
    app.restart_with(&[]).await;
    whole(&app, "order.events", "order").await;
    whole(&app, "inventory.events", "inventory").await;
    let mirrored = versions(&app, "order.created");
    assert_eq!(mirrored.len(), 10, "each order was announced again");
    let id = app.place("mug", 1).await;
    app.until(id, "confirmed").await;
    assert_eq!(app.stock_of("mug").await, (989, 11, 0));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kafka_no_longer_keeps_comes_from_the_log() {
    let mut app = TestApp::start_roles("http,relay,views").await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1_000).await;
    let mut orders = Vec::new();
    for _ in 0..10 {
        orders.push(app.place("mug", 1).await);
    }
    let name = format!("{}order.events", app.prefix);
    let consumer = reader(&app);
    let held = eventually("all ten are published", async || {
        let ends: Vec<(i32, i64)> = (0..i32::from(app.database.partitions.count()))
            .map(|partition| {
                (partition, consumer.fetch_watermarks(&name, partition, Duration::from_secs(5)).unwrap().1)
            })
            .collect();
        (ends.iter().map(|end| end.1).sum::<i64>() == 10).then_some(ends)
    })
    .await;
    let mut list = TopicPartitionList::new();
    for (partition, high) in held {
        list.add_partition_offset(&name, partition, Offset::Offset(high)).unwrap();
    }
    admin().delete_records(&list, &AdminOptions::new()).await.unwrap();
    let _second = app.second_node("inventory,orders,notification,analytics").await;
    for id in orders {
        app.until(id, "confirmed").await;
    }
    assert_eq!(app.stock_of("mug").await, (990, 10, 0));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_set_back_stops_the_relay_with_an_alarm_and_orders_are_accepted_all_the_same() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1_000).await;
    for _ in 0..6 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    app.signal("-TERM");
    app.ended().await;
    // As a restore from a backup would leave it: the newest events and every place that knew them are gone.
    for statement in [
        "delete from log where stream_id like 'order:%' or stream_id like 'inventory:%' or stream_id like 'notification:%'",
        "update log_head set position = coalesce((select max(position) from log where log.partition = log_head.partition), 0)",
        "update checkpoint set position = least(position, (select position from log_head where log_head.partition = checkpoint.partition))",
        "update checkpoint set next_offset = 0 where subscription = 'relay' and source <> 'product.events'",
    ] {
        sqlx::query(statement).execute(&app.database.db).await.unwrap();
    }
    app.relaunch(&[]);
    let alarm = eventually("the alarm is listed", async || {
        let answer = app.http.get(format!("{}/ops/v1/alarms", app.ops)).send().await.ok()?;
        let answer: Value = answer.json().await.ok()?;
        answer["alarms"].as_array()?.iter().find(|alarm| alarm["code"] == "kafka_ahead").cloned()
    })
    .await;
    assert!(alarm["why"].as_str().unwrap().contains("which the log does not have"), "{alarm}");
    app.place("mug", 1).await;
}
