//! A consumer on a real Postgres and without Kafka: its events are handed to it, so that one rule alone stands between an
//! event and its effect.

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use ordo::consumers;
use ordo::contracts::{Position, RecordedEvent};
use ordo::event_store::{Bell, NewEvent};
use ordo::subscription::pass::{Item, PassError, Passed, pass};
use ordo::subscription::{
    Admitted, Claim, Config, Decision, Decisions, Delivered, Entry, Failure, Folds, Handler, Lane, OrderCommand,
    Progress, Subscription, Tx, Work, checkpoint,
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Database;

pub struct Stage {
    pub database: Database,
    /// With the service's role.
    pub db: PgPool,
    pub subscription: Subscription,
    /// What the handler was given, as `stream@version`.
    seen: Arc<Mutex<Vec<String>>>,
}

/// Appends an event to a stream of its own for each event it sees: every effect can be counted, and can be repeated.
struct Witness(Arc<Mutex<Vec<String>>>);

impl Handler for Witness {
    fn reads(&self) -> &'static [&'static str] {
        &["order.created"]
    }

    fn commands(&self, _: &[&Delivered]) -> Result<Vec<OrderCommand>, Failure> {
        Ok(Vec::new())
    }

    fn handle<'a>(&'a self, events: &'a [&'a Delivered], _: Tx<'a>) -> BoxFuture<'a, Result<Decisions, Failure>> {
        let mut seen = self.0.lock().unwrap();
        seen.extend(events.iter().map(|delivered| name(&delivered.event)));
        let effect = |cause| Decision {
            cause,
            stream_id: format!("notification:{}", Uuid::new_v4()),
            partition_key: "x".to_owned(),
            expected_version: 0,
            events: vec![NewEvent {
                event_type: "notification.requested",
                schema_version: 1,
                payload: "{}".to_owned(),
            }],
        };
        let decisions = (0..events.len()).map(effect).collect();
        Box::pin(async move { Ok(decisions) })
    }
}

fn name(event: &RecordedEvent) -> String {
    format!("{}@{}", event.stream_id, event.version)
}

impl Stage {
    /// With a consumer that only tells what it was given.
    pub async fn witness() -> Self {
        let seen = Arc::default();
        Self::with("witness", Arc::new(Witness(Arc::clone(&seen))), Folds::default(), seen).await
    }

    /// With a consumer of the house.
    pub async fn of(consumer: &str) -> Self {
        let listed = consumers::all().into_iter().find(|listed| listed.name == consumer).unwrap();
        Self::with(consumer, listed.handler, listed.folds, Arc::default()).await
    }

    async fn with(name: &str, handler: Arc<dyn Handler>, folds: Folds, seen: Arc<Mutex<Vec<String>>>) -> Self {
        let database = Database::create().await;
        let db = database.service_pool();
        let subscription = Subscription {
            name: name.to_owned(),
            handler: Some(handler),
            folds,
            lease: None,
            commands: None,
            config: Config::default(),
            event_bytes: 100_000,
            db: db.clone(),
            partitions: database.partitions,
            bell: Bell::new(database.partitions.count()),
        };
        Self { database, db, subscription, seen }
    }

    pub fn lane(&self, source: &str, partition: i16) -> Lane {
        Lane { subscription: self.subscription.name.clone(), source: source.to_owned(), partition }
    }

    /// Claims a lane for a new owner.
    pub async fn claim(&self, lane: &Lane) -> Claim {
        checkpoint::claim(lane, Uuid::new_v4(), &self.db).await.unwrap()
    }

    /// One pass over these events.
    pub async fn pass(&self, lane: &Lane, epoch: i64, events: &[RecordedEvent]) -> Result<Passed, PassError> {
        let items: Vec<Item> = events
            .iter()
            .map(|event| Item {
                entry: entry(event),
                next_offset: event.position,
                position: event.position,
                condemned: None,
            })
            .collect();
        pass(&self.subscription, lane, epoch, &items, false).await
    }

    /// These events as a worker would work them off, failures included; its pauses are left out.
    pub async fn work_off(&self, lane: &Lane, epoch: i64, events: &[RecordedEvent]) -> Passed {
        let entries: Vec<(Entry, i64, Position)> =
            events.iter().map(|event| (entry(event), event.position, event.position)).collect();
        let position = events.last().unwrap().position;
        let mut work = Work::on(Admitted { entries, next_offset: position, position, ..Admitted::default() }, 100);
        for _ in 0..100 {
            match work.step(&self.subscription, lane, epoch).await {
                Progress::Continue | Progress::Pause { .. } => {}
                Progress::Done { .. } => return work.passed(),
                Progress::Fenced => panic!("nobody else has claimed {lane}"),
            }
        }
        panic!("the batch is not done after 100 steps");
    }

    /// What the witness was given, in order.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// How many events of a type the log has.
    pub async fn count(&self, event_type: &str) -> i64 {
        let count = sqlx::query_scalar("select count(*) from log where event_type = $1").bind(event_type);
        count.fetch_one(&self.db).await.unwrap()
    }

    /// Dead letters as stream, version and class.
    pub async fn letters(&self) -> Vec<(String, i32, String)> {
        let letters = sqlx::query_as("select stream_id, version, class from dead_letter order by source_offset");
        letters.fetch_all(&self.db).await.unwrap()
    }

    pub async fn forget_ledger(&self) {
        sqlx::query("delete from processed_event").execute(&self.database.db).await.unwrap();
    }

    pub async fn forget_guard(&self) {
        sqlx::query("delete from stream_seen").execute(&self.database.db).await.unwrap();
    }

    pub async fn finish(self) {
        self.db.close().await;
        self.database.drop().await;
    }
}

fn entry(event: &RecordedEvent) -> Entry {
    Entry::Event(Box::new(Delivered { event_id: event.id(), event: Arc::new(event.clone()), record: None }))
}

/// An event as it would have been delivered.
pub fn event(stream_id: &str, version: i32, position: Position) -> RecordedEvent {
    RecordedEvent {
        partition: 0,
        position,
        append_id: Uuid::new_v4(),
        stream_id: stream_id.to_owned(),
        version,
        partition_key: stream_id.to_owned(),
        event_type: "order.created".to_owned(),
        schema_version: 1,
        payload: "{}".to_owned(),
        meta: "{}".to_owned(),
        recorded_at: ordo::clock::now(),
    }
}
