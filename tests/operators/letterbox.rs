//! Dead letters as a consumer leaves them, on a real Postgres, and operators who act on them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ordo::contracts::RecordedEvent;
use ordo::ops::access::{Caller, Role};
use ordo::ops::action::{Action, Refused};
use ordo::ops::plan;
use ordo::subscription::attempts::Attempt;
use ordo::subscription::dead_letter::{self, DeadLetter, Verdict};
use ordo::subscription::{Delivered, Failure, Lane, Record};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Database;

pub struct Letterbox {
    /// Its own, unless it stands in an app's.
    database: Option<Database>,
    /// With the owner's role.
    pub owner: PgPool,
    /// With the service's role.
    pub db: PgPool,
    offset: AtomicI64,
}

/// What a letter of a test is about.
#[derive(Clone)]
pub struct About<'a> {
    pub consumer: &'a str,
    pub stream: &'a str,
    pub version: i32,
    pub event_type: &'a str,
    pub payload: &'a str,
}

impl<'a> About<'a> {
    pub fn stream(stream: &'a str, version: i32) -> Self {
        Self { consumer: "inventory", stream, version, event_type: "order.created", payload: r#"{"quantity":0}"# }
    }
}

impl Letterbox {
    pub async fn create() -> Self {
        let database = Database::create().await;
        let mut own = Self::of(&database);
        own.database = Some(database);
        own
    }

    /// On the database of an app.
    pub fn of(database: &Database) -> Self {
        Self { database: None, owner: database.db.clone(), db: database.service_pool(), offset: AtomicI64::new(0) }
    }

    /// Writes a letter and its entry in the ledger, as a consumer does that gives an event up.
    pub async fn write(&self, about: About<'_>) -> Uuid {
        let offset = self.offset.fetch_add(1, Ordering::Relaxed);
        let lane = Lane { subscription: about.consumer.to_owned(), source: "order.events".to_owned(), partition: 0 };
        let now = ordo::clock::now();
        let event = RecordedEvent {
            partition: 0,
            position: offset + 1,
            append_id: Uuid::new_v4(),
            stream_id: about.stream.to_owned(),
            version: about.version,
            partition_key: about.stream.to_owned(),
            event_type: about.event_type.to_owned(),
            schema_version: 1,
            payload: about.payload.to_owned(),
            meta: "{}".to_owned(),
            recorded_at: now,
        };
        let record = Record { offset, headers: headers(about.event_type), time: Some(now), ..Record::default() };
        let event_id = event.id();
        let delivered = Delivered { event_id, event: Arc::new(event), record: Some(Arc::new(record)) };
        let failure = Failure::permanent("a quantity of 0 cannot be reserved");
        let letter = DeadLetter::of_event(
            ordo::clock::new_id(),
            &lane,
            &delivered,
            Verdict::on(&failure, &lane, &first_attempt()),
        );
        let mut tx = self.db.begin().await.unwrap();
        dead_letter::store(&letter, offset + 1, &mut tx).await.unwrap();
        sqlx::query(
            "insert into processed_event (subscription, event_id, state, source, partition, source_offset)
             values ($1, $2, 'dead', 'order.events', 0, $3)",
        )
        .bind(about.consumer)
        .bind(event_id)
        .bind(offset)
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        letter.id
    }

    /// Writes the letter of a record that is no event.
    pub async fn write_foreign(&self) -> Uuid {
        let lane = Lane { subscription: "inventory".to_owned(), source: "order.events".to_owned(), partition: 0 };
        let offset = self.offset.fetch_add(1, Ordering::Relaxed);
        let record = Record { offset, value: Some(b"\xff rubbish".to_vec()), ..Record::default() };
        let verdict = Verdict::on(&Failure::poison("no event"), &lane, &first_attempt());
        let letter = DeadLetter::of_foreign(ordo::clock::new_id(), &lane, &record, verdict);
        let mut db = self.db.acquire().await.unwrap();
        dead_letter::store(&letter, offset + 1, &mut db).await.unwrap();
        letter.id
    }

    /// Parks the stream of a letter behind it, with these followers.
    pub async fn park(&self, letter: Uuid, stream: &str, versions: &[i32]) {
        sqlx::query(
            "insert into parked_stream (subscription, stream_id, source, partition, letter_id, class, error, depth)
             values ('inventory', $1, 'order.events', 0, $2, 'permanent', 'behind a letter', $3)",
        )
        .bind(stream)
        .bind(letter)
        .bind(i32::try_from(versions.len()).unwrap())
        .execute(&self.owner)
        .await
        .unwrap();
        for version in versions {
            sqlx::query(
                "insert into parked_event (subscription, stream_id, version, event_id, source, partition, source_offset,
                     payload, header_names, header_values)
                 values ('inventory', $1, $2, $3, 'order.events', 0, $2, '{}', '{ce_type}',
                     array[convert_to('order.cancelled', 'UTF8')])",
            )
            .bind(stream)
            .bind(version)
            .bind(ordo::contracts::event_id(stream, *version))
            .execute(&self.owner)
            .await
            .unwrap();
        }
    }

    /// One value of the database.
    pub async fn one<T>(&self, query: &'static str, id: Uuid) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + 'static,
    {
        sqlx::query_scalar(query).bind(id).fetch_one(&self.owner).await.unwrap()
    }

    /// Does something as an operator; answers with what was done.
    pub async fn act<A: Action>(&self, args: Value) -> Result<Value, Refused> {
        self.wanted::<A>(json!({ "args": args, "reason": "mended" })).await
    }

    pub async fn wanted<A: Action>(&self, wanted: Value) -> Result<Value, Refused> {
        let caller = Caller { name: "ada".to_owned(), role: Role::Operator };
        let wanted: plan::Wanted<A::Args> = serde_json::from_value(wanted).unwrap();
        let done = plan::run::<A>(wanted, &caller, ("here", &[]), &self.db).await?;
        Ok(serde_json::to_value(done).unwrap())
    }

    pub async fn finish(self) {
        self.db.close().await;
        if let Some(database) = self.database {
            database.drop().await;
        }
    }
}

fn headers(event_type: &str) -> Vec<(String, Option<Vec<u8>>)> {
    vec![("ce_type".to_owned(), Some(event_type.as_bytes().to_vec()))]
}

fn first_attempt() -> Attempt {
    let now = ordo::clock::now();
    Attempt { tries: 1, attempts: 1, deaths: 0, first_failed_at: now, last_failed_at: now }
}
