//! What Postgres does of the same work without any guarantee: a bare loop that upserts the same stock rows and inserts the
//! same inventory events, in batches of the same size, into tables of its own with the same columns and indexes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::stage::Stage;

/// What `subscription.batch_events` is.
const BATCH_EVENTS: usize = 200;

/// $1 partition, $2 and $3 positions.
const CREATED: &str = "SELECT partition_key, payload FROM log \
     WHERE partition = $1 AND position > $2 AND position <= $3 AND event_type = 'order.created' ORDER BY position";
/// As the owner, who alone may make a schema; $1 the service's role, to which it is open.
const SERVICE: &str = "SELECT set_config('bench.service', $1, false)";
const SCHEMA: &str = "DROP SCHEMA IF EXISTS bench_bare CASCADE; \
     CREATE SCHEMA bench_bare; \
     DO $$ BEGIN \
         EXECUTE format('GRANT ALL ON SCHEMA bench_bare TO %I', current_setting('bench.service')); \
     END $$";
/// As the service. `LIKE` leaves the fill factor out, which is half of what an often updated table costs.
const TABLES: &str = "CREATE TABLE bench_bare.log (LIKE log INCLUDING ALL); \
     CREATE TABLE bench_bare.stock (LIKE views.stock_v1 INCLUDING ALL); \
     DO $$ BEGIN \
         EXECUTE format('ALTER TABLE bench_bare.stock SET (%s)', \
             (SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = 'views.stock_v1'::regclass)); \
     END $$; \
     INSERT INTO bench_bare.stock SELECT * FROM views.stock_v1";
const TEAR_DOWN: &str = "DROP SCHEMA bench_bare CASCADE";
/// $1 partition; then one element a row: $2 position, $3 append id, $4 stream, $5 key, $6 payload, $7 meta.
const INSERT: &str = "INSERT INTO bench_bare.log (partition, position, append_id, stream_id, version, partition_key, \
         event_type, schema_version, payload, meta, recorded_at) \
     SELECT $1, position, append_id, stream_id, 1, key, 'inventory.reserved', 1, payload, meta, clock_timestamp() \
     FROM unnest($2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[]) \
         AS row(position, append_id, stream_id, key, payload, meta)";
/// One element a product: $1 product, $2 pieces. In order of the products, or two batches would deadlock.
const UPSERT: &str = "INSERT INTO bench_bare.stock AS known (product_id, available, reserved, shipped) \
     SELECT product_id, 0, pieces, 0 FROM unnest($1::text[], $2::bigint[]) AS taken(product_id, pieces) ORDER BY 1 \
     ON CONFLICT (product_id) DO UPDATE \
     SET available = known.available - excluded.reserved, reserved = known.reserved + excluded.reserved";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    product_id: String,
    quantity: i64,
}

/// One transaction's rows, column by column.
#[derive(Default)]
struct Batch {
    positions: Vec<i64>,
    append_ids: Vec<Uuid>,
    streams: Vec<String>,
    keys: Vec<String>,
    payloads: Vec<String>,
    metas: Vec<String>,
    products: BTreeMap<String, i64>,
}

/// A session for each partition, and what each has to do.
pub struct Bare {
    owner: PgConnection,
    workers: Vec<(i16, PgConnection, Vec<Batch>)>,
    /// Rows to be inserted.
    pub events: u64,
}

impl Bare {
    /// Reads the orders between two heads, makes the tables, and opens the sessions; nothing of it is measured.
    pub async fn set_up(stage: &Stage, from: &[i64], to: &[i64]) -> anyhow::Result<Self> {
        let mut owner = connect(&stage.admin_database_url).await?;
        let mut service = connect(&stage.database_url).await?;
        let role: String = sqlx::query_scalar("SELECT current_user::text").fetch_one(&mut service).await?;
        sqlx::query(SERVICE).bind(role).execute(&mut owner).await?;
        let schema = sqlx::raw_sql(SCHEMA).execute(&mut owner).await;
        schema.context("could not make a schema for the bare loop: --admin-database-url must name the owner")?;
        let tables = sqlx::raw_sql(TABLES).execute(&mut service).await;
        tables.context("could not make tables for the bare loop: was `ordo migrate` done with this database?")?;
        let (mut workers, mut events) = (Vec::new(), 0);
        for (partition, (from, to)) in (0_i16..).zip(from.iter().zip(to)) {
            let query = sqlx::query_as(CREATED).bind(partition).bind(from).bind(to);
            let orders: Vec<(String, String)> = query.fetch_all(&mut service).await.context("could not read orders")?;
            events += orders.len() as u64;
            let mut session = connect(&stage.database_url).await?;
            // As the service's sessions have it.
            sqlx::raw_sql("SET synchronous_commit = on").execute(&mut session).await?;
            workers.push((partition, session, batches(&orders)?));
        }
        Ok(Self { owner, workers, events })
    }

    /// From the first transaction's beginning to the last one's commit.
    pub async fn run(&mut self) -> anyhow::Result<Duration> {
        let start = Arc::new(Barrier::new(self.workers.len() + 1));
        let mut running = JoinSet::new();
        for (partition, mut session, batches) in self.workers.drain(..) {
            let start = Arc::clone(&start);
            running.spawn(async move {
                start.wait().await;
                for batch in &batches {
                    commit(partition, batch, &mut session).await?;
                }
                anyhow::Ok(())
            });
        }
        start.wait().await;
        let began = Instant::now();
        while let Some(ended) = running.join_next().await {
            ended.context("a worker of the bare loop panicked: report this")??;
        }
        Ok(began.elapsed())
    }

    pub async fn tear_down(mut self) -> anyhow::Result<()> {
        sqlx::raw_sql(TEAR_DOWN).execute(&mut self.owner).await.context("could not drop the bare loop's tables")?;
        Ok(())
    }
}

async fn connect(database_url: &str) -> anyhow::Result<PgConnection> {
    PgConnection::connect(database_url).await.context("could not open a session for the bare loop")
}

/// The stock rows last, and so locked for the shortest time: all partitions want the same ones.
async fn commit(partition: i16, batch: &Batch, session: &mut PgConnection) -> anyhow::Result<()> {
    let mut tx = session.begin().await?;
    sqlx::query(INSERT)
        .bind(partition)
        .bind(&batch.positions)
        .bind(&batch.append_ids)
        .bind(&batch.streams)
        .bind(&batch.keys)
        .bind(&batch.payloads)
        .bind(&batch.metas)
        .execute(&mut *tx)
        .await?;
    sqlx::query(UPSERT)
        .bind(batch.products.keys().collect::<Vec<_>>())
        .bind(batch.products.values().copied().collect::<Vec<_>>())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Orders by key and payload, as inventory answers them.
fn batches(orders: &[(String, String)]) -> anyhow::Result<Vec<Batch>> {
    let mut position = 0;
    let mut batches = Vec::new();
    for chunk in orders.chunks(BATCH_EVENTS) {
        let mut batch = Batch::default();
        for (order_id, payload) in chunk {
            let Created { items } = serde_json::from_str(payload).context("an order cannot be read")?;
            let reserved: Vec<Value> =
                items.iter().map(|item| json!({ "productId": item.product_id, "quantity": item.quantity })).collect();
            position += 1;
            batch.positions.push(position);
            batch.append_ids.push(Uuid::new_v4());
            batch.streams.push(format!("inventory:{order_id}"));
            batch.keys.push(order_id.clone());
            batch.payloads.push(json!({ "orderId": order_id, "items": reserved }).to_string());
            let meta = json!({ "correlation_id": Uuid::new_v4(), "causation_id": Uuid::new_v4() });
            batch.metas.push(meta.to_string());
            for item in items {
                *batch.products.entry(item.product_id).or_default() += item.quantity;
            }
        }
        batches.push(batch);
    }
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(number: usize) -> (String, String) {
        let items = json!([{ "productId": "mug", "quantity": 2 }, { "productId": "bowl", "quantity": 1 }]);
        (format!("order-{number}"), json!({ "orderId": number, "items": items }).to_string())
    }

    #[test]
    fn an_order_is_one_row_and_a_product_one_row_a_batch() -> anyhow::Result<()> {
        let orders: Vec<_> = (0..=BATCH_EVENTS).map(order).collect();
        let batches = batches(&orders)?;
        assert_eq!(batches.iter().map(|batch| batch.keys.len()).collect::<Vec<_>>(), [BATCH_EVENTS, 1]);
        assert_eq!(batches[1].positions, [BATCH_EVENTS as i64 + 1]);
        let stock: Vec<(&str, i64)> =
            batches[0].products.iter().map(|(product, pieces)| (product.as_str(), *pieces)).collect();
        assert_eq!(stock, [("bowl", BATCH_EVENTS as i64), ("mug", 2 * BATCH_EVENTS as i64)]);
        assert_eq!(batches[1].streams, [format!("inventory:order-{BATCH_EVENTS}")]);
        Ok(())
    }
}
