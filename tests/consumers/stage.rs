//! A consumer on a real Postgres and without Kafka: its events are handed to it, so that one rule alone stands between an
//! event and its effect.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use ordo::consumers;
use ordo::contracts::{Position, RecordedEvent};
use ordo::event_store::{Bell, NewEvent};
use ordo::subscription::fault::Panel;
use ordo::subscription::pass::{self, Item, PassError, Passed, pass};
use ordo::subscription::{
    Admitted, Blamed, Claim, Config, Decision, Decisions, Delivered, Entry, Failure, Folding, Folds, Handler, Lane,
    OnDeadLetter, OrderCommand, Progress, Subscription, Tx, Work, Worker, checkpoint,
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Database;

pub struct Stage {
    pub database: Database,
    /// With the service's role.
    pub db: PgPool,
    pub subscription: Subscription,
    /// This process, as its workers know it.
    pub owner: Uuid,
    /// What the handler was given, as `stream@version`.
    seen: Arc<Mutex<Vec<String>>>,
    /// What it fails on, by the same names.
    script: Script,
    calls: Arc<AtomicU32>,
}

/// How the witness fails on an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fails {
    Poison,
    /// And says which event it was.
    PoisonNamed,
    Transient,
    Panic,
}

/// Streams may be set aside.
pub static ANY: AtomicBool = AtomicBool::new(true);

type Script = Arc<Mutex<HashMap<String, Fails>>>;

/// Appends an event to a stream of its own for each event it sees: every effect can be counted, and can be repeated.
struct Witness {
    seen: Arc<Mutex<Vec<String>>>,
    script: Script,
    calls: Arc<AtomicU32>,
}

impl Witness {
    fn failure(&self, events: &[&Delivered]) -> Result<(), Blamed> {
        for (place, delivered) in events.iter().enumerate() {
            let fails = self.script.lock().unwrap().get(&name(&delivered.event)).copied();
            match fails {
                None => (),
                Some(Fails::Poison) => return Err(Failure::poison("on purpose").into()),
                Some(Fails::PoisonNamed) => {
                    return Err(Blamed { failure: Failure::poison("on purpose"), culprit: Some(place) });
                }
                Some(Fails::Transient) => return Err(Failure::transient("on purpose").into()),
                Some(Fails::Panic) => panic!("on purpose"),
            }
        }
        Ok(())
    }
}

impl Handler for Witness {
    fn reads(&self) -> &'static [&'static str] {
        &["order.created"]
    }

    fn commands(&self, _: &[&Delivered]) -> Result<Vec<OrderCommand>, Blamed> {
        Ok(Vec::new())
    }

    fn handle<'a>(&'a self, events: &'a [&'a Delivered], _: Tx<'a>) -> BoxFuture<'a, Result<Decisions, Blamed>> {
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
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.failure(events)?;
            self.seen.lock().unwrap().extend(events.iter().map(|delivered| name(&delivered.event)));
            Ok((0..events.len()).map(effect).collect())
        })
    }
}

fn name(event: &RecordedEvent) -> String {
    format!("{}@{}", event.stream_id, event.version)
}

impl Stage {
    /// With a consumer that only tells what it was given.
    pub async fn witness() -> Self {
        let (seen, script, calls) = (Arc::default(), Script::default(), Arc::default());
        let witness = Witness { seen: Arc::clone(&seen), script: Arc::clone(&script), calls: Arc::clone(&calls) };
        Self { script, calls, ..Self::with("witness", Arc::new(witness), Folds::default(), seen).await }
    }

    /// With a consumer of the house.
    pub async fn of(consumer: &str) -> Self {
        let listed = consumers::all().into_iter().find(|listed| listed.name == consumer).unwrap();
        let mut stage = Self::with(consumer, listed.handler, listed.folds, Arc::default()).await;
        (stage.subscription.folding, stage.subscription.on_dead_letter) = (listed.folding, listed.on_dead_letter);
        stage
    }

    async fn with(name: &str, handler: Arc<dyn Handler>, folds: Folds, seen: Arc<Mutex<Vec<String>>>) -> Self {
        let database = Database::create().await;
        let db = database.service_pool();
        let subscription = Subscription {
            name: name.to_owned(),
            handler: Some(handler),
            on_dead_letter: OnDeadLetter::Block,
            folds,
            folding: Folding::Decided,
            lease: None,
            commands: None,
            panel: Panel::default(),
            config: Config::default(),
            event_bytes: 100_000,
            db: db.clone(),
            partitions: database.partitions,
            bell: Bell::new(database.partitions.count()),
        };
        Self {
            database,
            db,
            subscription,
            owner: Uuid::new_v4(),
            seen,
            script: Script::default(),
            calls: Arc::default(),
        }
    }

    pub fn lane(&self, source: &str, partition: i16) -> Lane {
        Lane { subscription: self.subscription.name.clone(), source: source.to_owned(), partition }
    }

    /// Claims a lane for a new owner.
    pub async fn claim(&self, lane: &Lane) -> Claim {
        checkpoint::claim(lane, Uuid::new_v4(), &self.db).await.unwrap()
    }

    /// Makes the witness fail on an event, named as `stream@version`, or no longer.
    pub fn script(&self, event: &str, fails: Option<Fails>) {
        let mut script = self.script.lock().unwrap();
        match fails {
            Some(fails) => _ = script.insert(event.to_owned(), fails),
            None => _ = script.remove(event),
        }
    }

    /// One pass over these events.
    pub async fn pass(&self, lane: &Lane, epoch: i64, events: &[RecordedEvent]) -> Result<Passed, PassError> {
        let items: Vec<Item> =
            events.iter().map(|event| Item::new(entry(event), event.position, event.position)).collect();
        let batch =
            pass::Batch { lane, epoch, items: &items, repeats: &[], retries: 0, after_conflict: false, aside: &ANY };
        pass(&self.subscription, batch).await
    }

    /// The work that these events make.
    pub fn work(events: &[RecordedEvent], limit: usize) -> Work {
        Work::on(admitted(events), limit)
    }

    /// The same, event by event, as after processes have ended over it.
    pub fn work_one_by_one(events: &[RecordedEvent]) -> Work {
        Work::one_by_one(admitted(events), 100, |_| true)
    }

    /// These events as a worker would work them off, failures included; its pauses are left out.
    pub async fn work_off(&self, lane: &Lane, epoch: i64, events: &[RecordedEvent]) -> Passed {
        let mut work = Self::work(events, 100);
        self.finish_work(&mut work, lane, epoch, 100).await;
        work.passed()
    }

    /// Steps until the work is done; answers how many it took.
    pub async fn finish_work(&self, work: &mut Work, lane: &Lane, epoch: i64, most: u32) -> u32 {
        let worker = Worker { subscription: &self.subscription, lane, epoch, owner: self.owner, aside: &ANY };
        for steps in 1..=most {
            match work.step(worker).await {
                Progress::Continue | Progress::Pause { .. } => {}
                Progress::Done { .. } => return steps,
                Progress::Fenced => panic!("nobody else has claimed {lane}"),
            }
        }
        panic!("the batch is not done after {most} steps");
    }

    /// How often the witness was given events.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// An event as it is handed over.
    pub fn delivered(&self, event: &RecordedEvent) -> Delivered {
        Delivered { event_id: event.id(), event: Arc::new(event.clone()), record: None }
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

fn admitted(events: &[RecordedEvent]) -> Admitted {
    let entries: Vec<(Entry, i64, Position)> =
        events.iter().map(|event| (entry(event), event.position, event.position)).collect();
    let position = events.last().unwrap().position;
    Admitted { entries, next_offset: position, position, ..Admitted::default() }
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
