//! The relay itself, on a real Postgres and a real Kafka: how far it says it has come.

use std::sync::Arc;
use std::time::Duration;

use ordo::actors::relay::{Arguments, RELAY, spec};
use ordo::contracts::topics;
use ordo::event_store::{self, Append, Bell, NewEvent, append};
use ordo::kafka::{Config, Publisher, Topics};
use ordo::subscription::checkpoint;
use ordo::supervision::CauseClass;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{Database, Tree, eventually, required};

/// A record of ours has more bytes of headers alone.
const TOO_SMALL: &str = "100";
const AMPLE: &str = "1000000";

async fn append(db: &PgPool, stream: &str) {
    let (event_type, payload) = ("product.created", "{}".to_owned());
    let wanted = Append {
        append_id: Uuid::new_v4(),
        stream_id: stream.to_owned(),
        partition: 0,
        partition_key: stream.to_owned(),
        expected_version: 0,
        events: vec![NewEvent { event_type, schema_version: 1, payload }],
        meta: "{}".to_owned(),
    };
    append::within(&mut db.acquire().await.unwrap(), &[wanted]).await.unwrap();
}

async fn place(db: &PgPool) -> i64 {
    checkpoint::position(db, RELAY, checkpoint::LOG, 0).await.unwrap().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_delivery_the_relay_begins_anew_and_its_place_never_passes_what_failed() {
    let database = Database::with_partitions(1).await;
    let db = database.service_pool();
    let brokers = required("KAFKA_BROKERS");
    let config = Config {
        brokers: brokers.clone(),
        topic_prefix: format!("{}.", database.name),
        mirrored: Vec::new(),
        // Longer than the relay waits before it saves: what it saves first, nobody has acknowledged.
        linger: Duration::from_millis(250),
        ..Config::default()
    };
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &brokers).create().unwrap();
    // The topic of orders takes nothing.
    let orders = config.prefixed(topics::ORDER_EVENTS);
    let narrow = NewTopic::new(&orders, 1, TopicReplication::Fixed(1)).set("max.message.bytes", TOO_SMALL);
    admin.create_topics(&[narrow], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    for stream in ["product:1", "product:2", "order:3", "product:4"] {
        append(&db, stream).await;
    }
    let tree = Tree::of(spec(Arguments {
        partition: 0,
        owner: Uuid::new_v4(),
        lease: Duration::from_secs(3),
        in_flight: 100,
        mirrored: Arc::default(),
        publisher: Arc::new(Publisher::new(config.clone())),
        topics: Topics::new(config.clone(), database.partitions, &[]),
        db: db.clone(),
        bell: Bell::new(1),
        config: event_store::Config::default(),
    }))
    .await;
    eventually("the relay has begun anew", async || {
        let place = place(&db).await;
        assert!(place <= 2, "position 3 was never taken, and the place is {place}");
        (!tree.crashes().is_empty()).then_some(())
    })
    .await;
    let why = tree.crashes().remove(0);
    assert_eq!(why.cause, Some(CauseClass::DependencyDown), "{why:?}");
    let ample = AlterConfig::new(ResourceSpecifier::Topic(&orders)).set("max.message.bytes", AMPLE);
    admin.alter_configs(&[ample], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    eventually("everything is published", async || (place(&db).await == 4).then_some(())).await;
    let client: BaseConsumer = ClientConfig::new().set("bootstrap.servers", &brokers).create().unwrap();
    let (low, high) = client.fetch_watermarks(&orders, 0, Duration::from_secs(5)).unwrap();
    assert_eq!((low, high), (0, 1), "the order once");
    tree.finish().await;
    db.close().await;
    database.drop().await;
}
