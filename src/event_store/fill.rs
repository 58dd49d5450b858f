//! Filling an empty log in bulk: for demonstrations and measurements, never for what has really happened.

use sqlx::PgConnection;

use crate::contracts::{Position, RecordedEvent};
use crate::postgres::CopyText;

const LOCK_HEADS: &str = "select position from log_head order by partition for update";
const COPY: &str = "copy log (partition, position, append_id, stream_id, version, partition_key, event_type, \
    schema_version, payload, meta, recorded_at) from stdin";
const MOVE_HEADS: &str = "update log_head set position = moved.position
    from unnest($1::bigint[]) with ordinality as moved(position, number) where partition = moved.number - 1";

/// The log has events already: so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotEmpty(pub i64);

/// Lets nobody append until the transaction ends; the head of each partition, all of them 0.
///
/// # Errors
/// What Postgres says; inside, that the log is not empty.
pub async fn lock_empty(tx: &mut PgConnection) -> sqlx::Result<Result<Vec<Position>, NotEmpty>> {
    let heads: Vec<Position> = sqlx::query_scalar(LOCK_HEADS).fetch_all(tx).await?;
    let events = heads.iter().sum();
    Ok(if events == 0 { Ok(heads) } else { Err(NotEmpty(events)) })
}

/// Writes events whose places follow on from the heads. [`move_heads`] must follow in the same transaction.
///
/// # Errors
/// What Postgres says.
pub async fn copy(events: &[RecordedEvent], tx: &mut PgConnection) -> sqlx::Result<()> {
    let mut rows = String::with_capacity(events.iter().map(|event| event.payload.len() + event.meta.len() + 256).sum());
    events.iter().for_each(|event| row(event, &mut rows));
    let mut copy = tx.copy_in_raw(COPY).await?;
    copy.send(rows.into_bytes()).await?;
    copy.finish().await?;
    Ok(())
}

/// Says where each partition ends, in their order.
///
/// # Errors
/// What Postgres says.
pub async fn move_heads(heads: &[Position], tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(MOVE_HEADS).bind(heads).execute(tx).await?;
    Ok(())
}

/// A column each, in the order of [`COPY`].
fn row(event: &RecordedEvent, rows: &mut String) {
    let columns: [&dyn CopyText; 11] = [
        &event.partition,
        &event.position,
        &event.append_id,
        &event.stream_id,
        &event.version,
        &event.partition_key,
        &event.event_type,
        &event.schema_version,
        &event.payload,
        &event.meta,
        &event.recorded_at,
    ];
    for (number, column) in columns.into_iter().enumerate() {
        if number > 0 {
            rows.push('\t');
        }
        column.copy(rows);
    }
    rows.push('\n');
}
