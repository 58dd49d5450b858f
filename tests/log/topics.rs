//! `ordo log verify --topics`: what topics hold, against the log.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;
use tokio::process::Command;

use crate::support::{TestApp, eventually, required};

const PATIENCE: Duration = Duration::from_secs(10);

fn client() -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", required("KAFKA_BROKERS"));
    client
}

/// What the command prints, and whether it found everything as it should be.
async fn verify(app: &TestApp) -> (Value, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_ordo"))
        .args(["log", "verify", "--topics", "--json"])
        .env("DATABASE_URL", &app.database.url)
        .env("KAFKA_BROKERS", required("KAFKA_BROKERS"))
        .env("ORDO_KAFKA__TOPIC_PREFIX", &app.prefix)
        .output()
        .await
        .unwrap();
    let found = serde_json::from_slice(&output.stdout);
    (found.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), output.status.success())
}

/// Orders of which everything is published, by a service that has ended.
async fn published() -> TestApp {
    let mut app = TestApp::start().await;
    app.stock("mug", 100, 1_000).await;
    for _ in 0..12 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    // Notifications come last of all.
    eventually("everything is published", async || {
        let left: i64 = sqlx::query_scalar(
            "select sum(h.position - c.position)::bigint from log_head h join checkpoint c \
             on c.partition = h.partition and c.subscription = 'relay' and c.source = 'log'",
        )
        .fetch_one(&app.database.db)
        .await
        .unwrap();
        (left == 0 && app.count("notification.requested").await == 24).then_some(())
    })
    .await;
    app.signal("-TERM");
    app.ended().await;
    app
}

fn sum(found: &Value, topic: &str, field: &str) -> u64 {
    let topics = found["topics"].as_array().unwrap();
    topics.iter().filter(|report| report["topic"] == topic).map(|report| report[field].as_u64().unwrap()).sum()
}

fn first<'a>(found: &'a Value, topic: &str, partition: i32) -> &'a Value {
    let topics = found["topics"].as_array().unwrap();
    let report = topics.iter().find(|report| report["topic"] == topic && report["partition"] == partition).unwrap();
    &report["first"]
}

fn send(topic: &str, record: &OwnedMessage) {
    let producer: BaseProducer = client().create().unwrap();
    let mut sent: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).partition(record.partition());
    if let Some(headers) = record.headers() {
        sent = sent.headers(headers.clone());
    }
    sent.key = record.key();
    sent.payload = record.payload();
    producer.send(sent).unwrap();
    producer.flush(PATIENCE).unwrap();
}

fn read(topic: &str, partition: i32) -> Vec<OwnedMessage> {
    let consumer: BaseConsumer = client().set("group.id", "never-joined").create().unwrap();
    let (begin, end) = consumer.fetch_watermarks(topic, partition, PATIENCE).unwrap();
    let mut places = TopicPartitionList::new();
    places.add_partition_offset(topic, partition, Offset::Offset(begin)).unwrap();
    consumer.assign(&places).unwrap();
    (begin..end).map(|_| consumer.poll(PATIENCE).expect("a record").unwrap().detach()).collect()
}

/// Another topic of the same name, empty.
async fn recreate(topic: &str) {
    let admin: AdminClient<DefaultClientContext> = client().create().unwrap();
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    admin.delete_topics(&[topic], &options).await.unwrap()[0].as_ref().unwrap();
    eventually("the topic can be created again", async || {
        let new = NewTopic::new(topic, 2, TopicReplication::Fixed(1));
        admin.create_topics([&new], &options).await.unwrap()[0].is_ok().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_hold_what_was_published_are_clean() {
    let app = published().await;
    let (found, is_clean) = verify(&app).await;
    assert!(is_clean, "{found:#}");
    assert_eq!(found["violations"], 0);
    for (topic, events) in [
        // Created and confirmed, and each of it notified; a product, a receipt; what is mirrored.
        ("order.events", 24),
        ("notification.events", 24),
        ("inventory.events", 13),
        ("product.events", 1),
        ("order.created", 12),
        ("product.updated", 0),
    ] {
        assert_eq!((sum(&found, topic, "events"), sum(&found, topic, "records")), (events, events), "{topic}");
    }
    app.database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_the_log_does_not_know_is_found_with_its_offset() {
    let app = published().await;
    let (orders, partition) = (format!("{}order.events", app.prefix), 1);
    let honest = read(&orders, partition);
    let end = i64::try_from(honest.len()).unwrap();
    // Rubbish, and an honest record on a partition where it does not belong.
    send(
        &orders,
        &OwnedMessage::new(
            Some(b"x".to_vec()),
            None,
            orders.clone(),
            rdkafka::Timestamp::NotAvailable,
            partition,
            0,
            None,
        ),
    );
    let mut stray = read(&orders, 0).remove(0);
    let headers: OwnedHeaders = stray.headers().unwrap().clone();
    stray = OwnedMessage::new(
        stray.payload().map(<[u8]>::to_vec),
        stray.key().map(<[u8]>::to_vec),
        orders.clone(),
        stray.timestamp(),
        partition,
        0,
        Some(headers),
    );
    send(&orders, &stray);
    let (found, is_clean) = verify(&app).await;
    assert!(!is_clean);
    assert_eq!((sum(&found, "order.events", "foreign"), sum(&found, "order.events", "missing")), (2, 0), "{found:#}");
    let told = first(&found, "order.events", partition);
    assert_eq!((&told["kind"], &told["offset"]), (&"foreign".into(), &end.into()), "{told}");
    assert!(told["next"].as_str().is_some_and(|next| !next.is_empty()));
    app.database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_anew_with_less_in_it_has_a_hole_and_one_made_anew_empty_is_short() {
    const LEFT_OUT: [usize; 2] = [1, 2];
    let app = published().await;
    let (letters, created) = (format!("{}notification.events", app.prefix), format!("{}order.created", app.prefix));
    let partition = (0..2).max_by_key(|partition| read(&letters, *partition).len()).unwrap();
    let records = read(&letters, partition);
    recreate(&letters).await;
    recreate(&created).await;
    for (_, record) in records.iter().enumerate().filter(|(number, _)| !LEFT_OUT.contains(number)) {
        send(&letters, record);
    }
    let (found, is_clean) = verify(&app).await;
    assert!(!is_clean);
    let told = first(&found, "notification.events", partition);
    assert_eq!((&told["kind"], &told["offset"]), (&"hole".into(), &1.into()), "{told}");
    let position = std::str::from_utf8(header(&records[1], "ce_sequence")).unwrap().parse::<i64>().unwrap();
    assert_eq!(told["position"], position);
    assert_eq!((sum(&found, "order.created", "missing"), sum(&found, "order.created", "records")), (12, 0));
    let mirrored: Vec<&Value> = (0..2).map(|partition| first(&found, "order.created", partition)).collect();
    assert!(mirrored.iter().any(|told| told["kind"] == "short"), "{mirrored:?}");
    assert_eq!(sum(&found, "order.events", "missing"), 0);
    app.database.drop().await;
}

fn header<'a>(record: &'a OwnedMessage, name: &str) -> &'a [u8] {
    use rdkafka::message::Headers;
    let headers = record.headers().unwrap();
    headers.iter().find(|header| header.key == name).and_then(|header| header.value).unwrap()
}
