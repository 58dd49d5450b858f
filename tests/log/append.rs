use std::collections::HashMap;

use ordo::event_store::{self, Append, NewEvent, Outcome, append, verify};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Database;

fn wanted(database: &Database, stream: &str, expected_version: i32, events: usize) -> Append {
    let event = NewEvent { event_type: "order.created", schema_version: 1, payload: "{}".to_owned() };
    Append {
        append_id: Uuid::new_v4(),
        stream_id: format!("order:{stream}"),
        partition: database.partitions.of(stream),
        partition_key: stream.to_owned(),
        expected_version,
        events: vec![event; events],
        meta: "{}".to_owned(),
    }
}

async fn store(db: &PgPool, appends: &[Append]) -> Vec<Outcome> {
    append::batch(&mut db.acquire().await.unwrap(), appends).await.unwrap()
}

fn is_accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted(_))
}

async fn verified(database: Database) {
    let report = verify::verify(&database.db, |_| {}).await.unwrap();
    assert_eq!((report.violations, report.examples), (0, vec![]));
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_conflict_costs_only_its_own_append() {
    let database = Database::create().await;
    store(&database.db, &[wanted(&database, "a", 0, 2)]).await;
    let batch = [
        wanted(&database, "b", 0, 1),
        wanted(&database, "a", 0, 1),
        wanted(&database, "c", 0, 3),
        wanted(&database, "a2", 0, 1),
    ];
    let outcomes: Vec<bool> = store(&database.db, &batch).await.iter().map(is_accepted).collect();
    assert_eq!(outcomes, [true, false, true, true]);
    assert_eq!(event_store::stream(&database.db, "order:a", 0, 10).await.unwrap().len(), 2);
    verified(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_of_which_one_event_exists_is_refused_whole() {
    let database = Database::create().await;
    store(&database.db, &[wanted(&database, "a", 0, 2)]).await;
    let outcomes = store(&database.db, &[wanted(&database, "a", 1, 3)]).await;
    assert_eq!(outcomes, [Outcome::Conflict]);
    assert_eq!(event_store::stream(&database.db, "order:a", 0, 10).await.unwrap().len(), 2);
    verified(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_sent_twice_recognises_itself_and_writes_nothing_new() {
    let database = Database::create().await;
    let batch = [wanted(&database, "a", 0, 2), wanted(&database, "b", 0, 1)];
    let first = store(&database.db, &batch).await;
    let second = store(&database.db, &batch).await;
    assert_eq!(first, second);
    let rows: i64 = sqlx::query_scalar("select count(*) from log").fetch_one(&database.db).await.unwrap();
    assert_eq!(rows, 3);
    verified(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_places_answered_are_the_places_stored() {
    let database = Database::with_partitions(4).await;
    let batch: Vec<Append> = (0..40).map(|n| wanted(&database, &format!("s{n}"), 0, 1 + n % 3)).collect();
    let outcomes = store(&database.db, &batch).await;
    for (append, outcome) in batch.into_iter().zip(outcomes) {
        let Outcome::Accepted(place) = outcome else { panic!("refused") };
        let stored = event_store::stream(&database.db, &append.stream_id, 0, 10).await.unwrap();
        let told: Vec<_> = append.recorded(place).collect();
        assert_eq!(stored, told);
    }
    verified(database).await;
}

/// Positions stay gapless and every append accepted is stored, however many writers fight for the same streams.
#[tokio::test(flavor = "multi_thread")]
async fn positions_are_gapless_under_writers_racing_on_two_pools() {
    let database = std::sync::Arc::new(Database::with_partitions(3).await);
    let other = database.another_pool();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..6_u32 {
        let (database, pool) = (database.clone(), if writer % 2 == 0 { database.db.clone() } else { other.clone() });
        tasks.spawn(async move { race(&database, &pool, writer).await });
    }
    let mut accepted: HashMap<String, i64> = HashMap::new();
    let (mut asked, mut answered) = (0, 0);
    while let Some(task) = tasks.join_next().await {
        let (of_writer, asked_by, answered_by) = task.unwrap();
        asked += asked_by;
        answered += answered_by;
        for (stream, events) in of_writer {
            *accepted.entry(stream).or_default() += events;
        }
    }
    assert_eq!(asked, answered);
    let stored: Vec<(String, i64)> =
        sqlx::query_as("select stream_id, count(*) from log group by stream_id").fetch_all(&database.db).await.unwrap();
    assert_eq!(accepted, stored.into_iter().collect());
    other.close().await;
    verified(std::sync::Arc::into_inner(database).unwrap()).await;
}

async fn race(database: &Database, pool: &PgPool, seed: u32) -> (HashMap<String, i64>, usize, usize) {
    let mut versions: HashMap<String, i32> = HashMap::new();
    let (mut accepted, mut asked, mut answered) = (HashMap::new(), 0, 0);
    let mut random = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = move |below: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) % below
    };
    for _ in 0..60 {
        let mut streams: Vec<String> = (0..8).map(|_| format!("r{}", next(40))).collect();
        streams.sort();
        streams.dedup();
        let batch: Vec<Append> = streams
            .iter()
            .map(|stream| wanted(database, stream, *versions.get(stream).unwrap_or(&0), 1 + next(3) as usize))
            .collect();
        asked += batch.len();
        let outcomes = store(pool, &batch).await;
        answered += outcomes.len();
        for ((stream, append), outcome) in streams.iter().zip(&batch).zip(&outcomes) {
            if is_accepted(outcome) {
                let events = i32::try_from(append.events.len()).unwrap();
                *versions.entry(stream.clone()).or_default() = append.expected_version + events;
                *accepted.entry(append.stream_id.clone()).or_default() += i64::from(events);
            } else {
                let known = event_store::stream(pool, &append.stream_id, 0, 10_000).await.unwrap();
                versions.insert(stream.clone(), known.last().map_or(0, |event| event.version));
            }
        }
    }
    (accepted, asked, answered)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_never_given_another_number_of_partitions() {
    let database = Database::with_partitions(3).await;
    let error = event_store::create_heads(&database.db, Some(5), 8).await.unwrap_err();
    assert!(error.to_string().contains("3 partitions"), "{error}");
    assert_eq!(event_store::create_heads(&database.db, None, 8).await.unwrap().count(), 3);
    verified(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stalls_between_an_append_and_its_commit_is_ended_after_half_a_second() {
    let database = Database::create().await;
    let limit = "show idle_in_transaction_session_timeout";
    let mut tx = database.db.begin().await.unwrap();
    let usual: String = sqlx::query_scalar(limit).fetch_one(&mut *tx).await.unwrap();
    append::within(&mut tx, &[wanted(&database, "a", 0, 1)]).await.unwrap();
    let held: String = sqlx::query_scalar(limit).fetch_one(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((usual.as_str(), held.as_str()), ("2s", "500ms"));
    verified(database).await;
}
