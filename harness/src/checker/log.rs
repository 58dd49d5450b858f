//! The log, read with short statements: no snapshot is held over many rows, so a check never slows the service's appends.

use anyhow::{Context, ensure};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use super::checks::{StockRow, StockView};
use super::letters::Letter;
use super::row::Row;
use super::settle::Counts;
use crate::wire::event::Event;
use crate::wire::stream::Stream;

const PAGE: i64 = 5_000;
/// Rows counted by one statement; a second of work at most.
const COUNTED_AT_ONCE: i64 = 50_000;

const HEADS: &str = "SELECT partition, position FROM log_head ORDER BY partition";
const ROWS: &str = "SELECT position, stream_id, version, partition_key, event_type, payload FROM log \
     WHERE partition = $1 AND position > $2 ORDER BY position LIMIT $3";
const COUNTS: &str = "SELECT split_part(stream_id, ':', 1), event_type, count(*), max(position), \
     count(*) FILTER (WHERE CASE WHEN event_type = 'order.cancelled' \
                            THEN payload::json ->> 'confirmedAt' IS NULL ELSE false END) \
     FROM log WHERE partition = $1 AND position > $2 AND position <= $3 GROUP BY 1, 2";
const STOCK: &str = "SELECT product_id, available, reserved, shipped FROM views.stock_v1 \
     WHERE product_id > $1 ORDER BY product_id LIMIT $2";
const DEAD_LETTERS: &str = "SELECT subscription, count(*) FROM dead_letter GROUP BY 1 ORDER BY 1";

const LETTERS: &str = "SELECT subscription, coalesce(stream_id, ''), coalesce(version, 0), coalesce(event_type, ''), state \
     FROM dead_letter ORDER BY subscription, id";
const WAITING: &str = "SELECT subscription, stream_id, depth FROM parked_stream ORDER BY subscription, stream_id";
const TOPICS_LOST: &str = "SELECT place, why FROM alarm WHERE code = 'topic_lost' ORDER BY raised_at";
/// $1 streams of orders.
const WITHOUT_OUTCOME: &str = "SELECT count(*) FROM unnest($1::text[]) AS asked(stream_id) WHERE NOT EXISTS \
     (SELECT FROM log d WHERE d.stream_id = asked.stream_id \
      AND d.event_type IN ('order.confirmed', 'order.rejected', 'order.cancelled'))";

const NEXT: &str = "see whether Postgres runs and `ordo migrate` was done with this database";

#[derive(Clone)]
pub struct Log {
    pool: PgPool,
}

impl Log {
    pub async fn connect(database_url: &str) -> anyhow::Result<Self> {
        let pool = PgPoolOptions::new().max_connections(2).connect(database_url).await;
        Ok(Self { pool: pool.with_context(|| format!("could not connect to Postgres: {NEXT}"))? })
    }

    /// The head of every partition, by partition.
    pub async fn heads(&self) -> anyhow::Result<Vec<i64>> {
        let rows: Vec<(i16, i64)> =
            sqlx::query_as(HEADS).fetch_all(&self.pool).await.with_context(|| reading("log_head"))?;
        ensure!(!rows.is_empty(), "log_head is empty: run `ordo migrate` with this database");
        let contiguous = rows.iter().zip(0..).all(|((partition, _), expected)| *partition == expected);
        ensure!(
            contiguous,
            "log_head does not name partitions 0..P-1: restore it from a backup, positions depend on it"
        );
        Ok(rows.into_iter().map(|(_, position)| position).collect())
    }

    /// The next rows of a partition after a position; none at its end.
    pub async fn page(&self, partition: i16, after: i64) -> anyhow::Result<Vec<Row>> {
        let rows: Vec<(i64, String, i32, String, String, String)> = sqlx::query_as(ROWS)
            .bind(partition)
            .bind(after)
            .bind(PAGE)
            .fetch_all(&self.pool)
            .await
            .with_context(|| reading("log"))?;
        Ok(rows.into_iter().map(|row| read(partition, row)).collect())
    }

    /// Adds what the log holds after `from` up to `to` (heads by partition) to `counts`.
    pub async fn count(&self, from: &[i64], to: &[i64], counts: &mut Counts) -> anyhow::Result<()> {
        for (partition, (from, to)) in from.iter().zip(to).enumerate() {
            let mut after = *from;
            while after < *to {
                let until = (after + COUNTED_AT_ONCE).min(*to);
                let rows: Vec<(String, String, i64, i64, i64)> = sqlx::query_as(COUNTS)
                    .bind(i16::try_from(partition)?)
                    .bind(after)
                    .bind(until)
                    .fetch_all(&self.pool)
                    .await
                    .with_context(|| reading("log"))?;
                for (kind, event_type, count, last, undecided) in rows {
                    counts.add(partition, &kind, &event_type, count, last, undecided);
                }
                after = until;
            }
        }
        Ok(())
    }

    pub async fn stock(&self) -> anyhow::Result<StockView> {
        let mut view = StockView::new();
        let mut after = String::new();
        loop {
            let rows: Vec<(String, i64, i64, i64)> = sqlx::query_as(STOCK)
                .bind(&after)
                .bind(PAGE)
                .fetch_all(&self.pool)
                .await
                .with_context(|| reading("views.stock_v1"))?;
            let Some((last, ..)) = rows.last() else {
                return Ok(view);
            };
            after.clone_from(last);
            view.extend(rows.into_iter().map(|(product, available, reserved, shipped)| {
                let (available, reserved, shipped) = (available.into(), reserved.into(), shipped.into());
                (product, StockRow { available, reserved, shipped })
            }));
        }
    }

    pub async fn dead_letters(&self) -> anyhow::Result<Vec<(String, i64)>> {
        sqlx::query_as(DEAD_LETTERS).fetch_all(&self.pool).await.with_context(|| reading("dead_letter"))
    }

    /// Every letter, whatever became of it.
    pub async fn letters(&self) -> anyhow::Result<Vec<Letter>> {
        let rows: Vec<(String, String, i32, String, String)> =
            sqlx::query_as(LETTERS).fetch_all(&self.pool).await.with_context(|| reading("dead_letter"))?;
        let letter = |(consumer, stream_id, version, event_type, state)| Letter {
            consumer,
            stream_id,
            version,
            event_type,
            state,
        };
        Ok(rows.into_iter().map(letter).collect())
    }

    /// Streams set aside, with how many of their events wait.
    pub async fn parked(&self) -> anyhow::Result<Vec<(String, String, i32)>> {
        sqlx::query_as(WAITING).fetch_all(&self.pool).await.with_context(|| reading("parked_stream"))
    }

    /// Every time that a topic lacked what was published to it: where, and what was seen.
    pub async fn topics_lost(&self) -> anyhow::Result<Vec<(String, String)>> {
        sqlx::query_as(TOPICS_LOST).fetch_all(&self.pool).await.with_context(|| reading("alarm"))
    }

    /// How many of these orders have not been confirmed, rejected or cancelled.
    pub async fn without_outcome(&self, orders: impl Iterator<Item = Uuid>) -> anyhow::Result<i64> {
        let streams: Vec<String> = orders.map(|order| format!("order:{order}")).collect();
        let count = sqlx::query_scalar(WITHOUT_OUTCOME).bind(streams).fetch_one(&self.pool).await;
        count.with_context(|| reading("log"))
    }

    pub async fn server_version(&self) -> anyhow::Result<String> {
        let version = sqlx::query_scalar("SHOW server_version").fetch_one(&self.pool).await;
        version.with_context(|| format!("could not ask Postgres for its version: {NEXT}"))
    }
}

fn reading(table: &str) -> String {
    format!("could not read {table}: {NEXT}")
}

fn read(partition: i16, row: (i64, String, i32, String, String, String)) -> Row {
    let (position, stream_id, version, partition_key, event_type, payload) = row;
    let (stream, event) = (Stream::parse(&stream_id), Event::read(&event_type, &payload));
    Row { partition, position, stream_id, version, partition_key, event_type, payload, stream, event }
}
