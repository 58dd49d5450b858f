//! Folding into one table, in the caller's transaction: a batch of live events, a piece of the log, part of a shared row.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::postgres::PgArguments;
use sqlx::{PgConnection, query_as_with, query_with};

use super::table::safe;
use super::{Projection, Recorded, Row, Table};
use crate::domain::DomainEvent;
use crate::subscription::models::Written;
use crate::subscription::{Dependency, Failure, FoldEvent};

/// Rows by key, in the order they are locked in.
pub(super) type RowsOf<P> = BTreeMap<<<P as Projection>::Row as Row>::Key, <P as Projection>::Row>;

/// Loads the rows a batch touches, changes them, writes them back.
pub(super) async fn fold<P: Projection>(
    table: &Table<P>,
    events: &[FoldEvent<'_>],
    db: &mut PgConnection,
) -> Result<(), Failure> {
    let events = events.iter().filter_map(|event| read::<P>(event).transpose()).collect::<Result<Vec<_>, Failure>>()?;
    let mut keys: Vec<_> = events.iter().flat_map(|event| P::keys(event)).collect();
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

/// Writes rows anew from all of their events; whether any differed from what these come to.
pub(super) async fn renew<P: Projection>(
    table: &Table<P>,
    events: &[FoldEvent<'_>],
    db: &mut PgConnection,
) -> Result<bool, Failure> {
    let mut rows: RowsOf<P> = BTreeMap::new();
    for event in events {
        let Some(event) = read::<P>(event)? else { continue };
        for key in P::keys(&event) {
            P::fold(rows.entry(key).or_insert_with_key(P::Row::empty), &event);
        }
    }
    let keys: Vec<_> = rows.keys().cloned().collect();
    let text = |rows: &RowsOf<P>| {
        let mut text = String::new();
        rows.values().for_each(|row| row.copy(&mut text));
        text
    };
    let differs = text(&load(table, &keys, db).await?) != text(&rows);
    if differs {
        store(table, rows, db).await?;
    }
    Ok(differs)
}

/// Adds what a piece of the log came to, to rows that other pieces have fed.
pub(super) async fn merge<P: Projection>(
    table: &Table<P>,
    parts: RowsOf<P>,
    db: &mut PgConnection,
) -> Result<(), Failure> {
    let keys: Vec<_> = parts.keys().cloned().collect();
    if keys.is_empty() {
        return Ok(());
    }
    let mut rows = load(table, &keys, db).await?;
    for (key, part) in parts {
        P::merge(rows.entry(key).or_insert_with_key(P::Row::empty), part);
    }
    store(table, rows, db).await
}

/// Writes rows that nothing else writes.
pub(super) async fn copy<P: Projection>(
    table: &Table<P>,
    rows: impl Iterator<Item = P::Row>,
    db: &mut PgConnection,
) -> Result<(), Failure> {
    let mut text = String::new();
    rows.for_each(|row| row.copy(&mut text));
    if text.is_empty() {
        return Ok(());
    }
    let columns: Vec<&str> = P::Row::COLUMNS.iter().map(|(column, _)| *column).collect();
    let statement = table.sql(&format!("copy {{table}} ({}) from stdin", columns.join(", ")));
    let mut copy = db.copy_in_raw(&statement.0).await?;
    copy.send(text.as_bytes()).await?;
    copy.finish().await?;
    Ok(())
}

/// `None` for an event the projection does not fold.
pub(super) fn read<P: Projection>(event: &FoldEvent<'_>) -> Result<Option<Recorded<P::Event>>, Failure> {
    if !P::Event::TYPES.contains(&event.event_type) {
        return Ok(None);
    }
    let read = P::Event::from_payload(event.event_type, event.payload).map_err(Failure::poison)?;
    Ok(Some(Recorded { version: event.version, recorded_at: event.recorded_at, event: read }))
}

/// The active rows of `keys`, in key order, as they are now: what a decision is made on. Nothing is locked, since rows that
/// every batch wants are to be locked last, when the decision is folded: a table's constraints say then whether it still
/// holds. Rows that do not exist are left out.
///
/// # Errors
/// [`Failure`], classified by what Postgres says.
pub async fn seen<P: Projection>(
    written: &Written,
    keys: &[<P::Row as Row>::Key],
    db: &mut PgConnection,
) -> Result<Vec<P::Row>, Failure> {
    match written.active(P::NAME) {
        Some(version) if version.code == P::VERSION => {
            rows_of::<P>(Table::<P>::of(version.number).look, keys, db).await
        }
        active => Err(unknown(P::NAME, active.map_or_else(|| "none".to_owned(), |version| version.to_string()))),
    }
}

/// Nothing is wrong with the events: they wait until a build comes that knows what is written.
pub(super) fn unknown(model: &str, version: impl std::fmt::Display) -> Failure {
    let why = format!(
        "version {version} of {model} is in use, which this build cannot fold: run a build that can, or take the version \
         back (`ordo projections list`)"
    );
    Failure::DependencyDown(Dependency::ReadModel, why.into())
}

async fn rows_of<P: Projection>(
    statement: Arc<str>,
    keys: &[<P::Row as Row>::Key],
    db: &mut PgConnection,
) -> Result<Vec<P::Row>, Failure> {
    let mut arguments = PgArguments::default();
    P::Row::bind_keys(keys, &mut arguments).map_err(Failure::permanent)?;
    Ok(query_as_with(safe(&statement), arguments).fetch_all(db).await?)
}

async fn load<P: Projection>(
    table: &Table<P>,
    keys: &[<P::Row as Row>::Key],
    db: &mut PgConnection,
) -> Result<RowsOf<P>, Failure> {
    let mut rows = rows_of::<P>(table.load.clone(), keys, db).await?;
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
        rows = rows_of::<P>(table.load.clone(), keys, db).await?;
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
