//! Streams set aside: the event that failed and all that come after it wait in stream order, while every other stream of
//! the partition goes on. Only the worker of a partition sets a stream aside; whoever takes it up again holds its row.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::dead_letter::Verdict;
use super::{Delivered, Lane, Record, admit};

const SET_ASIDE: &str = include_str!("sql/park_stream.sql");
const LOCK: &str = include_str!("sql/park_lock.sql");
const PEEK: &str = include_str!("sql/park_peek.sql");
const QUEUE: &str = include_str!("sql/park_events.sql");
const ANY: &str = include_str!("sql/park_any.sql");
const STREAMS: &str = include_str!("sql/park_streams.sql");
const TAKE: &str = include_str!("sql/park_take.sql");
const HEAD: &str = include_str!("sql/park_head.sql");
const GIVE_BACK: &str = include_str!("sql/park_give_back.sql");
const AGAIN_LATER: &str = include_str!("sql/park_again_later.sql");
const TAKE_OUT: &str = include_str!("sql/park_take_out.sql");
const RELEASE: &str = include_str!("sql/park_release.sql");
const BLOCK: &str = include_str!("sql/park_block.sql");

/// A stream set aside, as a transaction that has locked it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The dead letter at its head; none while its head is to be tried again.
    pub letter: Option<Uuid>,
    /// Events that wait.
    pub depth: i32,
    /// Who is at work on it.
    pub runs_as: Option<Uuid>,
}

/// The next event of a parked stream that is due.
#[derive(Clone, Debug)]
pub struct Head {
    /// Whose stream it is, and where its events came from.
    pub lane: Lane,
    /// Retries that have failed, all of them in this class.
    pub retries: i32,
    /// Class of its last failure.
    pub class: String,
    /// The event.
    pub delivered: Delivered,
}

/// Which of these streams are set aside, as of now and without a lock.
///
/// # Errors
/// What Postgres says.
pub(super) async fn peek(subscription: &str, streams: &[&str], db: impl PgExecutor<'_>) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(PEEK).bind(subscription).bind(streams).fetch_all(db).await
}

/// Locks those of these streams that are set aside, in stream order.
///
/// # Errors
/// What Postgres says.
pub(super) async fn lock(
    subscription: &str,
    streams: &[&str],
    tx: &mut PgConnection,
) -> sqlx::Result<HashMap<String, Parked>> {
    type Row = (String, Option<Uuid>, i32, Option<Uuid>);
    let rows: Vec<Row> = sqlx::query_as(LOCK).bind(subscription).bind(streams).fetch_all(tx).await?;
    let parked = |(stream, letter, depth, runs_as)| (stream, Parked { letter, depth, runs_as });
    Ok(rows.into_iter().map(parked).collect())
}

/// Sets a stream aside: behind `letter`, or to be tried again after `after`.
///
/// # Errors
/// What Postgres says.
pub(super) async fn set_aside(
    lane: &Lane,
    stream_id: &str,
    verdict: &Verdict,
    letter: Option<Uuid>,
    after: Duration,
    tx: &mut PgConnection,
) -> sqlx::Result<()> {
    sqlx::query(SET_ASIDE)
        .bind(&lane.subscription)
        .bind(stream_id)
        .bind(&lane.source)
        .bind(lane.partition)
        .bind(letter)
        .bind(verdict.class)
        .bind(&verdict.error)
        .bind(letter.is_none().then_some(after.as_secs_f64()))
        .execute(tx)
        .await?;
    Ok(())
}

/// Queues events behind what waits of their streams already.
///
/// # Errors
/// What Postgres says.
pub(super) async fn queue(lane: &Lane, events: &[&Delivered], tx: &mut PgConnection) -> sqlx::Result<()> {
    for delivered in events {
        let (source, record) = delivered.as_record(lane);
        let (names, values): (Vec<String>, Vec<Option<Vec<u8>>>) = record.headers.into_iter().unzip();
        sqlx::query(QUEUE)
            .bind(&lane.subscription)
            .bind(&delivered.event.stream_id)
            .bind(delivered.event.version)
            .bind(delivered.event_id)
            .bind(source)
            .bind(lane.partition)
            .bind(record.offset)
            .bind(record.time)
            .bind(record.key)
            .bind(record.value)
            .bind(names)
            .bind(values)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Whether any stream of a partition is set aside.
///
/// # Errors
/// What Postgres says.
pub async fn any(lane: &Lane, db: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar(ANY).bind(&lane.subscription).bind(&lane.source).bind(lane.partition).fetch_one(db).await
}

/// How many streams of a subscription are set aside.
///
/// # Errors
/// What Postgres says.
pub async fn streams(subscription: &str, db: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar(STREAMS).bind(subscription).fetch_one(db).await
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    source: String,
    partition: i16,
    source_offset: i64,
    source_time: Option<DateTime<Utc>>,
    record_key: Option<Vec<u8>>,
    payload: Vec<u8>,
    header_names: Vec<String>,
    header_values: Vec<Option<Vec<u8>>>,
}

/// Takes up the stream that has been due for longest, for `lease`: until it is given back, worked off or set aside anew,
/// nobody else has it. One left over from a process that has ended is free when its lease has run out.
///
/// # Errors
/// What Postgres says.
pub async fn take(subscription: &str, owner: Uuid, lease: Duration, db: &PgPool) -> sqlx::Result<Option<Head>> {
    loop {
        let taken: Option<(String, String, i16, i32, String)> =
            sqlx::query_as(TAKE).bind(subscription).bind(owner).bind(lease.as_secs_f64()).fetch_optional(db).await?;
        let Some((stream_id, source, partition, retries, class)) = taken else {
            return Ok(None);
        };
        let lane = Lane { subscription: subscription.to_owned(), source, partition };
        match head(&lane, &stream_id, db).await? {
            Some(delivered) => return Ok(Some(Head { lane, retries, class, delivered })),
            // Nothing waits: the row is left over, and the stream is free.
            None => release(subscription, &stream_id, &mut *db.acquire().await?).await?,
        };
    }
}

async fn head(lane: &Lane, stream_id: &str, db: &PgPool) -> sqlx::Result<Option<Delivered>> {
    let row: Option<HeadRow> = sqlx::query_as(HEAD).bind(&lane.subscription).bind(stream_id).fetch_optional(db).await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let record = Record {
        offset: row.source_offset,
        key: row.record_key,
        value: Some(row.payload),
        headers: row.header_names.into_iter().zip(row.header_values).collect(),
        time: row.source_time,
    };
    let delivered = admit::parked(record, &row.source, row.partition);
    delivered.map(Some).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Lets go of a stream as it was.
///
/// # Errors
/// What Postgres says.
pub async fn give_back(head: &Head, owner: Uuid, db: &PgPool) -> sqlx::Result<()> {
    sqlx::query(GIVE_BACK)
        .bind(&head.lane.subscription)
        .bind(&head.delivered.event.stream_id)
        .bind(owner)
        .execute(db)
        .await?;
    Ok(())
}

/// Lets go of a stream whose head has failed once more, to be tried again after `after`.
///
/// # Errors
/// What Postgres says.
pub(super) async fn again_later(
    head: &Head,
    owner: Uuid,
    verdict: &Verdict,
    after: Duration,
    db: &PgPool,
) -> sqlx::Result<()> {
    sqlx::query(AGAIN_LATER)
        .bind(&head.lane.subscription)
        .bind(&head.delivered.event.stream_id)
        .bind(owner)
        .bind(verdict.class)
        .bind(&verdict.error)
        .bind(after.as_secs_f64())
        .execute(db)
        .await?;
    Ok(())
}

/// Takes an event out of its queue.
///
/// # Errors
/// What Postgres says.
pub(super) async fn take_out(
    subscription: &str,
    stream_id: &str,
    version: i32,
    tx: &mut PgConnection,
) -> sqlx::Result<()> {
    sqlx::query(TAKE_OUT).bind(subscription).bind(stream_id).bind(version).execute(tx).await?;
    Ok(())
}

/// Lets a stream go on whose head is dealt with: what waits is due at once, and with nothing waiting it is set aside no
/// longer. Answers how many events wait.
///
/// # Errors
/// What Postgres says.
pub async fn release(subscription: &str, stream_id: &str, tx: &mut PgConnection) -> sqlx::Result<i32> {
    let waiting: Option<i32> =
        sqlx::query_scalar(RELEASE).bind(subscription).bind(stream_id).fetch_optional(tx).await?;
    Ok(waiting.unwrap_or(0))
}

/// Leaves a stream behind the letter that its head has become.
///
/// # Errors
/// What Postgres says.
pub(super) async fn block(
    subscription: &str,
    stream_id: &str,
    letter: Uuid,
    verdict: &Verdict,
    tx: &mut PgConnection,
) -> sqlx::Result<()> {
    sqlx::query(BLOCK)
        .bind(subscription)
        .bind(stream_id)
        .bind(letter)
        .bind(verdict.class)
        .bind(&verdict.error)
        .execute(tx)
        .await?;
    Ok(())
}
