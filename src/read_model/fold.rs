//! The live fold: load the rows a batch touches, change them, write them back, in the caller's transaction.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use sqlx::postgres::PgArguments;
use sqlx::{PgConnection, query_as_with, query_with};

use super::table::safe;
use super::{Projection, Recorded, Row, Table};
use crate::domain::DomainEvent;
use crate::subscription::{Failure, Fold, FoldEvent};

/// A projection as `subscription` sees it: something that folds events inside a transaction.
#[derive(Debug)]
pub struct Folded<P>(Table<P>);

impl<P: Projection> Default for Folded<P> {
    fn default() -> Self {
        Self(Table::active())
    }
}

impl<P: Projection> Fold for Folded<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn reads(&self, event_type: &str) -> bool {
        P::Event::TYPES.contains(&event_type)
    }

    fn fold<'a>(&'a self, events: &'a [FoldEvent<'a>], db: &'a mut PgConnection) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(fold(&self.0, events, db))
    }
}

async fn fold<P: Projection>(table: &Table<P>, events: &[FoldEvent<'_>], db: &mut PgConnection) -> Result<(), Failure> {
    let events = events.iter().filter_map(read::<P>).collect::<Result<Vec<_>, Failure>>()?;
    let mut keys: Vec<_> = events.iter().flat_map(P::keys).collect();
    keys.sort();
    keys.dedup();
    if keys.is_empty() {
        return Ok(());
    }
    let mut rows = load(table, &keys, db).await?;
    for event in &events {
        for key in P::keys(event) {
            let row = rows.entry(key).or_insert_with_key(P::Row::empty);
            P::fold(row, event);
        }
    }
    store(table, rows, db).await
}

/// `None` for an event the projection does not fold.
fn read<P: Projection>(event: &FoldEvent<'_>) -> Option<Result<Recorded<P::Event>, Failure>> {
    P::Event::TYPES.contains(&event.event_type).then(|| {
        let read = P::Event::from_payload(event.event_type, event.payload).map_err(Failure::poison)?;
        Ok(Recorded { version: event.version, recorded_at: event.recorded_at, event: read })
    })
}

/// Locks and reads the rows of `keys` in key order, as a decision needs them. Rows that do not exist are not made.
///
/// # Errors
/// [`Failure`], classified by what Postgres says.
pub async fn lock<P: Projection>(
    table: &Table<P>,
    keys: &[<P::Row as Row>::Key],
    db: &mut PgConnection,
) -> Result<Vec<P::Row>, Failure> {
    let mut arguments = PgArguments::default();
    P::Row::bind_keys(keys, &mut arguments).map_err(Failure::permanent)?;
    Ok(query_as_with(safe(&table.load), arguments).fetch_all(db).await?)
}

type RowsOf<P> = BTreeMap<<<P as Projection>::Row as Row>::Key, <P as Projection>::Row>;

async fn load<P: Projection>(
    table: &Table<P>,
    keys: &[<P::Row as Row>::Key],
    db: &mut PgConnection,
) -> Result<RowsOf<P>, Failure> {
    let mut rows = lock(table, keys, db).await?;
    if P::SHARED_ROWS && rows.len() < keys.len() {
        // A row that does not exist cannot be locked: two folds would each write theirs over the other's.
        let missing: Vec<_> = keys
            .iter()
            .filter(|key| rows.binary_search_by(|row| row.key().cmp(key)).is_err())
            .map(P::Row::empty)
            .collect();
        let mut arguments = PgArguments::default();
        P::Row::bind_rows(&missing, &mut arguments).map_err(Failure::permanent)?;
        query_with(safe(&table.insert_empty), arguments).execute(&mut *db).await?;
        rows = lock(table, keys, db).await?;
    }
    Ok(rows.into_iter().map(|row| (row.key(), row)).collect())
}

async fn store<P: Projection>(table: &Table<P>, rows: RowsOf<P>, db: &mut PgConnection) -> Result<(), Failure> {
    let rows: Vec<P::Row> = rows.into_values().collect();
    let mut arguments = PgArguments::default();
    P::Row::bind_rows(&rows, &mut arguments).map_err(Failure::permanent)?;
    query_with(safe(&table.upsert), arguments).execute(db).await?;
    Ok(())
}
