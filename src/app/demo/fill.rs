//! Fills an empty log with a past: all of it in one transaction, so that there is either all of it or nothing, and whoever
//! already follows the log sees a shop that is consistent.

use std::time::Duration;

use chrono::TimeDelta;
use sqlx::{PgConnection, PgPool};

use super::happened::Happened;
use super::lives::Lives;
use crate::contracts::RecordedEvent;
use crate::event_store::fill::{self, NotEmpty};
use crate::event_store::{PartitionError, Partitions};
use crate::postgres::{self, SetupError};
use crate::read_model::FedBy;
use crate::subscription::{Failure, Fold, FoldEvent, models};
use crate::{clock, projections};

/// Events written at once.
const PIECE: usize = 20_000;
/// Longest that writing one piece may take.
const PATIENCE: &str = "set local statement_timeout = '60s'; set local idle_in_transaction_session_timeout = '60s'";

/// What is to have happened.
#[derive(Clone, Copy, Debug)]
pub struct Past {
    /// How many events.
    pub events: u64,
    /// For how many days until now.
    pub days: u32,
    /// The same seed, the same past but for its date.
    pub seed: u64,
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct Filled {
    /// Events.
    pub events: u64,
    /// Orders they are about.
    pub orders: u64,
    /// How long it took.
    pub took: Duration,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// No pool.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// No log.
    #[error(transparent)]
    Partitions(#[from] PartitionError),
    /// A past cannot be added to one there is.
    #[error(
        "the log holds {0} events, and a past is written into an empty one only: give it a new database, or `make clean-data`"
    )]
    NotEmpty(i64),
    /// Postgres refuses.
    #[error("Postgres has not taken the events; nothing was written")]
    Postgres(#[from] sqlx::Error),
    /// What inventory keeps does not take them.
    #[error("the stock does not take the events; nothing was written: {0}")]
    Stock(String),
}

/// Writes a past that ends now; `progress` is told how many events are written.
///
/// # Errors
/// [`FillError`]; nothing is written then.
pub async fn fill(config: &postgres::Config, past: Past, progress: impl Fn(u64)) -> Result<Filled, FillError> {
    let (db, began) = (postgres::pool(config)?, std::time::Instant::now());
    let partitions = Partitions::load(&db).await?;
    let mut tx = db.begin().await?;
    sqlx::raw_sql(PATIENCE).execute(&mut *tx).await?;
    let mut heads = match fill::lock_empty(&mut tx).await? {
        Ok(heads) => heads,
        Err(NotEmpty(events)) => return Err(FillError::NotEmpty(events)),
    };
    let end = clock::now();
    let mut lives = Lives::between(end - TimeDelta::days(past.days.into()), end, past.events, past.seed);
    let mut written = 0;
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        for happened in lives.by_ref().take(PIECE) {
            let partition = partitions.of(&happened.partition_key);
            let head = &mut heads[usize::try_from(partition).unwrap_or_default()];
            *head += 1;
            piece.push(recorded(happened, partition, *head));
        }
        if piece.is_empty() {
            break;
        }
        fill::copy(&piece, &mut tx).await?;
        keep_stock(&piece, &mut tx).await?;
        written += piece.len() as u64;
        progress(written);
    }
    fill::move_heads(&heads, &mut tx).await?;
    tx.commit().await?;
    settle(&db).await;
    Ok(Filled { events: written, orders: lives.orders(), took: began.elapsed() })
}

fn recorded(happened: Happened, partition: i16, position: i64) -> RecordedEvent {
    RecordedEvent {
        partition,
        position,
        append_id: clock::random_id(),
        stream_id: happened.stream_id,
        version: happened.version,
        partition_key: happened.partition_key,
        event_type: happened.event.event_type.to_owned(),
        schema_version: i16::try_from(happened.event.schema_version).expect("schema versions are small"),
        payload: happened.event.payload,
        meta: happened.meta.to_json(),
        recorded_at: happened.at,
    }
}

/// What is written in the transaction of whoever appends: nobody else will do it.
async fn keep_stock(events: &[RecordedEvent], tx: &mut PgConnection) -> Result<(), FillError> {
    let told = |failure: Failure| FillError::Stock(failure.chain());
    for model in projections::all().into_iter().filter(|model| model.fed_by() == FedBy::Decisions) {
        let written = models::share(&[model.name()], tx).await?;
        let read: Vec<FoldEvent<'_>> =
            events.iter().filter(|event| model.reads(&event.event_type)).map(FoldEvent::from).collect();
        model.fold(&read, &written, tx).await.map_err(told)?;
    }
    Ok(())
}

/// Whoever reads so much at once is planned for it. A role that may not is only warned.
async fn settle(db: &PgPool) {
    if let Err(error) = sqlx::query("analyze log").execute(db).await {
        tracing::debug!(%error, "the log was not analyzed");
    }
}
