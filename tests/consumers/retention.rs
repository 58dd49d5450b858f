//! What the ledger forgets, and what it never does.

use std::time::{Duration, Instant};

use ordo::subscription::{attempts, dedup};
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::{Database, TestApp, eventually};

const KEEP: Duration = Duration::from_secs(300);
/// More than any purge here takes.
const AMPLE: Duration = Duration::from_secs(120);

/// Rows of one kind, entered so many seconds ago.
async fn enter(db: &PgPool, rows: u32, source: &str, state: &str, seconds_ago: u32) {
    // Constants of these tests only.
    let statement = format!(
        "insert into processed_event (subscription, event_id, state, source, partition, source_offset, at) \
         select 'inventory', gen_random_uuid(), '{state}', '{source}', 0, 1, \
             clock_timestamp() - make_interval(secs => {seconds_ago}) + n * interval '1 microsecond' \
         from generate_series(1, {rows}) n"
    );
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(db).await.unwrap();
}

async fn left(db: &PgPool) -> Vec<(String, String, i64)> {
    sqlx::query_as("select source, state, count(*) from processed_event group by 1, 2 order by 1, 2")
        .fetch_all(db)
        .await
        .unwrap()
}

fn row(source: &str, state: &str, rows: i64) -> (String, String, i64) {
    (source.to_owned(), state.to_owned(), rows)
}

/// Five subscriptions at 1,500 events a second enter 7,500 rows a second. The housekeeper purges for 2 s of every 3 while
/// it is behind, so a purge that forgets more than 11,250 rows a second, its rests included, lets the ledger level off; what
/// it does here is printed.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_empties_a_backlog_in_bounded_steps() {
    let database = Database::create().await;
    let service = database.service_pool();
    enter(&service, 60_000, "order.events", "applied", 400).await;
    enter(&service, 40_000, "inventory.events", "applied", 301).await;
    enter(&service, 5_000, "order.events", "applied", 200).await;
    let began = Instant::now();
    let purged = dedup::purge(KEEP, AMPLE, &service).await.unwrap();
    let rate = f64::from(100_000_u32) / began.elapsed().as_secs_f64();
    println!("{rate:.0} rows a second: {purged:?}");
    assert!(purged.is_done);
    assert_eq!(purged.rows, 100_000);
    assert!(purged.steps >= 20, "{purged:?}");
    assert_eq!(left(&service).await, [row("order.events", "applied", 5_000)]);
    let again = dedup::purge(KEEP, AMPLE, &service).await.unwrap();
    assert_eq!((again.rows, again.is_done), (0, true));
    service.close().await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_applied_events_of_stream_topics_are_forgotten() {
    let database = Database::create().await;
    let service = database.service_pool();
    enter(&service, 30, "order.events", "applied", 9_000_000).await;
    enter(&service, 20, "order.events", "dead", 9_000_000).await;
    // A mirrored topic: no positions, kept for ever, so the ledger alone tells a repetition.
    enter(&service, 10, "order.created", "applied", 9_000_000).await;
    assert_eq!(dedup::purge(KEEP, AMPLE, &service).await.unwrap().rows, 30);
    assert_eq!(left(&service).await, [row("order.created", "applied", 10), row("order.events", "dead", 20)]);
    service.close().await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_whose_budget_is_spent_says_so_and_the_next_goes_on() {
    let database = Database::create().await;
    let service = database.service_pool();
    enter(&service, 12_000, "order.events", "applied", 400).await;
    let first = dedup::purge(KEEP, Duration::ZERO, &service).await.unwrap();
    assert_eq!((first.rows, first.steps, first.is_done), (5_000, 1, false));
    let second = dedup::purge(KEEP, AMPLE, &service).await.unwrap();
    assert_eq!((second.rows, second.is_done), (7_000, true));
    service.close().await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_purge_at_once_forget_each_row_once_and_wait_for_nobody() {
    let database = Database::create().await;
    let (one, other) = (database.service_pool(), database.service_pool());
    enter(&one, 30_000, "order.events", "applied", 400).await;
    let (first, second) = tokio::join!(dedup::purge(KEEP, AMPLE, &one), dedup::purge(KEEP, AMPLE, &other));
    let rest = dedup::purge(KEEP, AMPLE, &one).await.unwrap();
    assert_eq!(first.unwrap().rows + second.unwrap().rows + rest.rows, 30_000);
    assert_eq!(left(&one).await, []);
    one.close().await;
    other.close().await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_service_forgets_by_itself_and_counts_it() {
    let app = TestApp::start_with(&[("ORDO_SUBSCRIPTION__LEDGER_KEEP", "5m")]).await;
    enter(&app.database.db, 20_000, "order.events", "applied", 400).await;
    eventually("the ledger has forgotten", async || left(&app.database.db).await.is_empty().then_some(())).await;
    eventually("what was forgotten is counted", async || {
        let metrics = app.http.get(format!("{}/metrics", app.ops)).send().await.ok()?.text().await.ok()?;
        metrics.lines().any(|line| line == "ordo_ledger_purged_total 20000").then_some(())
    })
    .await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_are_forgotten_by_age_but_for_those_of_parked_streams_and_of_events_that_run() {
    let database = Database::create().await;
    let service = database.service_pool();
    let enter = "
        insert into event_attempt
            (subscription, event_id, source, partition, stream_id, class, first_failed_at, last_failed_at, runs_as)
        select 'inventory', gen_random_uuid(), 'order.events', 0, stream, 'transient', clock_timestamp() - age,
            clock_timestamp() - age, case when runs then gen_random_uuid() end
        from (values ('order:old', interval '1 hour', false), ('order:young', interval '1 minute', false),
            ('order:parked', interval '1 hour', false), ('order:running', interval '1 hour', true)) as tried(stream, age, runs);
        insert into parked_stream (subscription, stream_id, source, partition, class, error, depth, due_at)
        values ('inventory', 'order:parked', 'order.events', 0, 'transient', 'not yet', 1, clock_timestamp())";
    sqlx::raw_sql(enter).execute(&service).await.unwrap();
    assert_eq!(attempts::forget(KEEP, &service).await.unwrap(), 1);
    let left: Vec<String> =
        sqlx::query_scalar("select stream_id from event_attempt order by 1").fetch_all(&service).await.unwrap();
    assert_eq!(left, ["order:parked", "order:running", "order:young"]);
    service.close().await;
    database.drop().await;
}
