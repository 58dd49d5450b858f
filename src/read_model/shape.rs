//! One version of a read model's code, whatever its rows are: what live fold and rebuild need of it.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use futures::future::BoxFuture;
use sqlx::PgConnection;

use super::fold::{self, RowsOf};
use super::table::{Statements, Table, run};
use super::{Projection, Row};
use crate::domain::DomainEvent;
use crate::event_store::Swept;
use crate::subscription::{Failure, FoldEvent};

/// One version of a read model's code.
pub trait Shape: Send + Sync {
    /// Version of table and fold.
    fn code(&self) -> u16;
    /// Types it folds.
    fn types(&self) -> &'static [&'static str];
    /// What the streams it folds begin with.
    fn streams(&self) -> &'static [&'static str];
    /// Whether several partitions feed one row.
    fn has_shared_rows(&self) -> bool;
    /// Columns with their types, the key first.
    fn columns(&self) -> &'static [(&'static str, &'static str)];

    /// Folds events, in order, into the `number`th table.
    fn fold<'a>(
        &'a self,
        number: u32,
        events: &'a [FoldEvent<'a>],
        db: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), Failure>>;

    /// The stream that the row of this key is folded from; none where several feed one row.
    fn stream_of(&self, key: &str) -> Option<String>;

    /// Writes rows of the `number`th table anew from all of their events; whether any was different.
    fn renew<'a>(
        &'a self,
        number: u32,
        events: &'a [FoldEvent<'a>],
        db: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<bool, Failure>>;

    /// Makes the `number`th table: whole, or as a bulk load wants it.
    fn make<'a>(&'a self, number: u32, for_bulk: bool, db: &'a mut PgConnection) -> BoxFuture<'a, sqlx::Result<()>>;

    /// Makes the indexes that a table made for a bulk load lacks.
    fn index<'a>(&'a self, number: u32, db: &'a mut PgConnection) -> BoxFuture<'a, sqlx::Result<()>>;

    /// Says what holds of rows that have seen every event.
    fn seal<'a>(&'a self, number: u32, db: &'a mut PgConnection) -> BoxFuture<'a, sqlx::Result<()>>;

    /// Folds a piece of the log and writes its rows: rows of its own are complete, shared ones are merged.
    fn gather<'a>(
        &'a self,
        number: u32,
        events: &'a [Swept],
        db: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), Stuck>>;
}

/// A piece of the log that cannot be folded.
#[derive(Debug, thiserror::Error)]
pub enum Stuck {
    /// An event is against the fold.
    #[error("{event_type}, version {version} of {stream_id}: {why}")]
    Event {
        /// Its stream.
        stream_id: String,
        /// Its version.
        version: i32,
        /// Its type.
        event_type: String,
        /// What is wrong.
        why: String,
    },
    /// Postgres does not answer, or refuses.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<sqlx::Error> for Stuck {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// The version of a projection's code that this build was made from.
#[derive(Debug)]
pub struct Of<P>(PhantomData<fn() -> P>);

impl<P> Default for Of<P> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<P: Projection> Of<P> {
    /// The rows these events come to, in order.
    fn rows(events: &[Swept]) -> Result<RowsOf<P>, Stuck> {
        let mut rows: RowsOf<P> = BTreeMap::new();
        for swept in events {
            let event = fold::read::<P>(&as_fold(swept)).map_err(|failure| Stuck::Event {
                stream_id: swept.stream_id.clone(),
                version: swept.version,
                event_type: swept.event_type.clone(),
                why: failure.chain(),
            })?;
            let Some(event) = event else { continue };
            for key in P::keys(&event) {
                let row = rows.entry(key).or_insert_with_key(P::Row::empty);
                P::fold(row, &event);
            }
        }
        Ok(rows)
    }
}

impl<P: Projection> Shape for Of<P> {
    fn code(&self) -> u16 {
        P::VERSION
    }

    fn types(&self) -> &'static [&'static str] {
        P::Event::TYPES
    }

    fn streams(&self) -> &'static [&'static str] {
        P::STREAMS
    }

    fn has_shared_rows(&self) -> bool {
        P::SHARED_ROWS
    }

    fn columns(&self) -> &'static [(&'static str, &'static str)] {
        P::Row::COLUMNS
    }

    fn fold<'a>(
        &'a self,
        number: u32,
        events: &'a [FoldEvent<'a>],
        db: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { fold::fold(&Table::<P>::of(number), events, db).await })
    }

    fn stream_of(&self, key: &str) -> Option<String> {
        (!P::SHARED_ROWS).then(|| P::stream_of(key))
    }

    fn renew<'a>(
        &'a self,
        number: u32,
        events: &'a [FoldEvent<'a>],
        db: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<bool, Failure>> {
        Box::pin(async move { fold::renew(&Table::<P>::of(number), events, db).await })
    }

    fn make<'a>(&'a self, number: u32, for_bulk: bool, db: &'a mut PgConnection) -> BoxFuture<'a, sqlx::Result<()>> {
        Box::pin(async move {
            let table = Table::<P>::of(number);
            let Statements { makes, indexes, seals } = table.statements();
            sqlx::raw_sql(makes).execute(&mut *db).await?;
            if !for_bulk {
                run(indexes, db).await?;
                run(seals, db).await?;
            } else if !P::SHARED_ROWS {
                // Complete rows are only written: their key is looked up by nobody before the end.
                sqlx::raw_sql(table.sql("alter table {table} drop constraint {name}_pkey")).execute(db).await?;
            }
            Ok(())
        })
    }

    fn index<'a>(&'a self, number: u32, db: &'a mut PgConnection) -> BoxFuture<'a, sqlx::Result<()>> {
        Box::pin(async move {
            let table = Table::<P>::of(number);
            if !P::SHARED_ROWS {
                let key = format!("alter table {{table}} add constraint {{name}}_pkey primary key ({})", P::Row::KEY);
                sqlx::raw_sql(table.sql(&key)).execute(&mut *db).await?;
            }
            run(table.statements().indexes, db).await
        })
    }

    fn seal<'a>(&'a self, number: u32, db: &'a mut PgConnection) -> BoxFuture<'a, sqlx::Result<()>> {
        Box::pin(async move { run(Table::<P>::of(number).statements().seals, db).await })
    }

    fn gather<'a>(
        &'a self,
        number: u32,
        events: &'a [Swept],
        db: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), Stuck>> {
        Box::pin(async move {
            let rows = Self::rows(events)?;
            let table = Table::<P>::of(number);
            if P::SHARED_ROWS {
                fold::merge(&table, rows, db).await?;
            } else {
                fold::copy(&table, rows.into_values(), db).await?;
            }
            Ok(())
        })
    }
}

/// An event of the log as a fold sees it.
pub(super) fn as_fold(swept: &Swept) -> FoldEvent<'_> {
    FoldEvent {
        event_type: &swept.event_type,
        version: swept.version,
        recorded_at: Some(swept.recorded_at),
        payload: &swept.payload,
    }
}
