//! A log that was filled with a past is one like any other.

use ordo::app::demo::{FillError, Past, fill};
use ordo::event_store::verify;

use crate::support::{Database, TestApp, eventually};

const PAST: Past = Past { events: 6_000, days: 10, seed: 5 };

/// What of each product is available, reserved and shipped: by the rows, and by the events themselves.
const BY_ROWS: &str = "select product_id, available, reserved, shipped from views.stock_v1 order by 1";
const BY_EVENTS: &str = "
    with moved as (
        select event_type, payload::jsonb as payload from log where event_type like 'inventory.%'
    ), pieces as (
        select payload->>'productId' as product_id, event_type, (payload->>'quantity')::bigint as n
        from moved where event_type = 'inventory.received'
        union all
        select item->>'productId', event_type, (item->>'quantity')::bigint
        from moved, jsonb_array_elements(payload->'items') as item where event_type <> 'inventory.rejected'
            and event_type <> 'inventory.received'
    ), sums as (
        select product_id,
            coalesce(sum(n) filter (where event_type = 'inventory.received'), 0) as received,
            coalesce(sum(n) filter (where event_type = 'inventory.reserved'), 0) as taken,
            coalesce(sum(n) filter (where event_type = 'inventory.released'), 0) as given_back,
            coalesce(sum(n) filter (where event_type = 'inventory.shipped'), 0) as gone
        from pieces group by 1
    )
    select product_id, (received - taken + given_back)::bigint, (taken - given_back - gone)::bigint, gone::bigint
    from sums order by 1";

/// With the service's role, whose the read models are.
async fn stock(database: &Database, sql: &'static str) -> Vec<(String, i64, i64, i64)> {
    let service = database.service_pool();
    let rows = sqlx::query_as(sql).fetch_all(&service).await.unwrap();
    service.close().await;
    rows
}

#[tokio::test]
async fn a_past_keeps_every_promise_of_the_log_and_the_stock_it_left() {
    let database = Database::create().await;
    let filled = fill(&database.service_config(), PAST, |_| {}).await.unwrap();
    assert_eq!(filled.events, PAST.events);
    let report = verify::verify(&database.db, |_| {}).await.unwrap();
    assert_eq!((report.events, report.violations), (PAST.events, 0), "{:?}", report.examples);
    let rows = stock(&database, BY_ROWS).await;
    assert_eq!(rows, stock(&database, BY_EVENTS).await);
    assert!(rows.iter().any(|(_, _, _, shipped)| *shipped > 0));
    database.drop().await;
}

#[tokio::test]
async fn a_log_that_holds_anything_is_not_filled_and_stays_as_it_is() {
    let database = Database::create().await;
    let small = Past { events: 40, ..PAST };
    fill(&database.service_config(), small, |_| {}).await.unwrap();
    let refused = fill(&database.service_config(), small, |_| {}).await;
    assert!(matches!(refused, Err(FillError::NotEmpty(40))), "{refused:?}");
    let report = verify::verify(&database.db, |_| {}).await.unwrap();
    assert_eq!((report.events, report.violations), (40, 0));
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_reads_a_past_takes_up_the_orders_under_way_and_does_nothing_twice() {
    let database = Database::create().await;
    fill(&database.service_config(), Past { events: 1_500, ..PAST }, |_| {}).await.unwrap();
    let app = TestApp::start_on(database, &[]).await;
    eventually("every order has its outcome", async || {
        let undecided: i64 = sqlx::query_scalar(
            "select count(*) from log as created where created.event_type = 'order.created' and not exists (
                 select 1 from log as next where next.stream_id = created.stream_id and next.version = 2)",
        )
        .fetch_one(&app.database.db)
        .await
        .unwrap();
        (undecided == 0).then_some(())
    })
    .await;
    app.stock("mug", 100, 10).await;
    let order = app.place("mug", 1).await;
    app.until(order, "confirmed").await;
    let decided_twice: i64 = sqlx::query_scalar(
        "select count(*) from (select 1 from log where event_type in ('inventory.reserved', 'inventory.rejected')
             group by stream_id having count(*) > 1) as twice",
    )
    .fetch_one(&app.database.db)
    .await
    .unwrap();
    assert_eq!((decided_twice, app.dead_letters().await), (0, 0));
    eventually("the stock is what its events say", async || {
        (stock(&app.database, BY_ROWS).await == stock(&app.database, BY_EVENTS).await).then_some(())
    })
    .await;
    app.finish().await;
}
