//! The figures of a week are what SQL says about the log itself, and stay that when the topic is read again.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::week;
use crate::support::{Database, TestApp, eventually};

/// Rows by key, each figure in the order of the statement.
type Figures = BTreeMap<String, Vec<Value>>;

/// Every order with what the log has of it: sold is what was confirmed and never cancelled. Nothing here reads what events
/// say about the past of their order.
const ORDERS: &str = "
    create temporary view placed as
    select l.stream_id, l.payload::jsonb as p, l.payload::jsonb->>'currency' as currency,
        (l.payload::jsonb->>'totalAmount')::bigint as total, (l.payload::jsonb->>'createdAt')::timestamptz as placed_at,
        (select (c.payload::jsonb->>'confirmedAt')::timestamptz from log c
            where c.stream_id = l.stream_id and c.event_type = 'order.confirmed') as confirmed_at,
        (select recorded_at from log c where c.stream_id = l.stream_id and c.event_type = 'order.shipped') as shipped_at,
        (select array_agg(event_type) from log c where c.stream_id = l.stream_id) as had
    from log l where l.event_type = 'order.created';
    create temporary view sold as
    select * from placed where 'order.confirmed' = any(had) and 'order.cancelled' <> all(had)";

const REVENUE: &str = "
    select to_char(l.recorded_at at time zone 'UTC', 'YYYY-MM-DD') || '/' || o.currency, jsonb_build_array(
        count(*) filter (where event_type = 'order.created'), count(*) filter (where event_type = 'order.confirmed'),
        count(*) filter (where event_type = 'order.rejected'), count(*) filter (where event_type = 'order.cancelled'),
        coalesce(sum(o.total) filter (where event_type = 'order.confirmed'), 0)
            - coalesce(sum(o.total) filter (where event_type = 'order.cancelled' and 'order.confirmed' = any(had)), 0))
    from log l join placed o on o.stream_id = l.stream_id
    where event_type not in ('order.shipped', 'order.delivered') group by 1";

const PRODUCTS: &str = "
    select line->>'productId' || '/' || currency, jsonb_build_array(count(distinct stream_id),
        sum((line->>'quantity')::bigint), sum((line->>'quantity')::bigint * (line->>'unitPrice')::bigint))
    from sold, jsonb_array_elements(p->'items') line group by 1";

const FUNNEL: &str = "
    select to_char(placed_at at time zone 'UTC', 'YYYY-MM-DD'), jsonb_build_array(count(*),
        count(*) filter (where 'order.confirmed' = any(had)), count(*) filter (where 'order.rejected' = any(had)),
        count(*) filter (where 'order.cancelled' = any(had)), count(*) filter (where 'order.shipped' = any(had)),
        count(*) filter (where 'order.delivered' = any(had)),
        count(*) filter (where confirmed_at - placed_at <= interval '100 milliseconds'),
        count(*) filter (where confirmed_at - placed_at > interval '100 milliseconds' and confirmed_at - placed_at <= interval '1 second'),
        count(*) filter (where confirmed_at - placed_at > interval '1 second' and confirmed_at - placed_at <= interval '10 seconds'),
        count(*) filter (where confirmed_at - placed_at > interval '10 seconds' and confirmed_at - placed_at <= interval '1 minute'),
        count(*) filter (where confirmed_at - placed_at > interval '1 minute'),
        count(*) filter (where shipped_at - confirmed_at <= interval '1 hour'),
        count(*) filter (where shipped_at - confirmed_at > interval '1 hour' and shipped_at - confirmed_at <= interval '24 hours'),
        count(*) filter (where shipped_at - confirmed_at > interval '24 hours' and shipped_at - confirmed_at <= interval '72 hours'),
        count(*) filter (where shipped_at - confirmed_at > interval '72 hours'))
    from placed group by 1";

const CUSTOMERS: &str = "
    select o.p->>'userId' || '/' || o.currency, jsonb_build_array(count(*), count(s.stream_id), coalesce(sum(s.total), 0),
        to_char(min(o.placed_at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
        to_char(max(o.placed_at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))
    from placed o left join sold s on s.stream_id = o.stream_id group by 1";

/// A question, what names its rows, its figures, and the statement that says the same.
const MODELS: [(&str, &[&str], &[&str], &str); 4] = [
    ("revenue", &["day", "currency"], &["placed", "confirmed", "rejected", "cancelled", "revenue"], REVENUE),
    ("top-products", &["productId", "currency"], &["orders", "pieces", "revenue"], PRODUCTS),
    (
        "funnel",
        &["day"],
        &[
            "placed",
            "confirmed",
            "rejected",
            "cancelled",
            "shipped",
            "delivered",
            "confirmedIn100ms",
            "confirmedIn1s",
            "confirmedIn10s",
            "confirmedIn1min",
            "confirmedLater",
            "shippedIn1h",
            "shippedIn1d",
            "shippedIn3d",
            "shippedLater",
        ],
        FUNNEL,
    ),
    ("customers", &["userId", "currency"], &["orders", "confirmed", "spent", "firstOrderAt", "lastOrderAt"], CUSTOMERS),
];

async fn by_sql(database: &Database) -> Vec<Figures> {
    // Temporary views belong to one connection.
    let mut db = database.db.acquire().await.unwrap();
    sqlx::raw_sql(ORDERS).execute(&mut *db).await.unwrap();
    let mut models = Vec::new();
    for (question, .., statement) in MODELS {
        let rows: Vec<(String, Value)> = sqlx::query_as(statement).fetch_all(&mut *db).await.unwrap();
        assert!(rows.len() > 6, "{question} says little: {rows:?}");
        models.push(rows.into_iter().map(|(key, figures)| (key, figures.as_array().unwrap().clone())).collect());
    }
    sqlx::raw_sql("drop view sold; drop view placed").execute(&mut *db).await.unwrap();
    models
}

async fn by_rest(app: &TestApp) -> Vec<Figures> {
    let (from, to) = week::DAYS;
    let mut models = Vec::new();
    for (question, key, figures, _) in MODELS {
        let limits = if key[0] == "day" { format!("from={from}&to={to}") } else { "limit=1000".to_owned() };
        let rows = app.figures(&format!("{question}?{limits}")).await;
        let named = |row: &Value| key.iter().map(|part| row[*part].as_str().unwrap()).collect::<Vec<_>>().join("/");
        let figures = |row: &Value| figures.iter().map(|figure| micros(&row[*figure])).collect();
        models.push(rows.iter().map(|row| (named(row), figures(row))).collect());
    }
    models
}

/// Times in one form, whatever their fraction.
fn micros(value: &Value) -> Value {
    match value.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok()) {
        Some(time) => json!(time.to_rfc3339_opts(SecondsFormat::Micros, true)),
        None => value.clone(),
    }
}

/// Events of the topic that analytics has applied, and those it was given again.
async fn counts(app: &TestApp) -> (u64, u64) {
    let shown = app.operators("consumers/show?consumer=analytics").await;
    let count = |name: &str| shown["counts"][name].as_u64().unwrap();
    (count("applied"), count("replayed"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_comes_to_what_the_log_says_however_often_its_topic_is_read() {
    let database = Database::create().await;
    let events = u64::try_from(week::generate(&database).await).unwrap();
    let app = TestApp::start_roles_on(database, "http,relay,analytics").await;
    eventually("the week is read", async || (counts(&app).await.0 == events).then_some(())).await;
    let expected = by_sql(&app.database).await;
    assert_eq!(by_rest(&app).await, expected);

    for partition in app.database.partitions.all() {
        let place = json!({ "consumer": "analytics", "topic": "order.events", "partition": partition, "offset": 0 });
        app.operate("consumers/seek", place).await;
    }
    eventually("all of it is read again", async || (counts(&app).await.1 == events).then_some(())).await;
    assert_eq!(by_rest(&app).await, expected);
    assert_eq!(counts(&app).await, (events, events), "nothing was applied again");
    app.finish().await;
}
