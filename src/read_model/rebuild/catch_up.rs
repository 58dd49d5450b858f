//! Folds what was appended since the rebuild began, page by page, until little enough is left to be folded while nobody
//! writes.

use sqlx::PgConnection;

use super::frontier::{Frontier, frontier};
use super::{Done, Ground, Rebuild, StepError, attach, shape};
use crate::contracts::Position;
use crate::event_store::sweep;
use crate::faults;
use crate::read_model::shape::as_fold;
use crate::read_model::{Model, Shape};
use crate::subscription::FoldEvent;

const SNAPSHOT: &str = "set transaction isolation level repeatable read";
const PLACES: &str = include_str!("../sql/rebuild_places.sql");
const PLACE: &str = include_str!("../sql/rebuild_place_move.sql");
const LEFT_OUT: &str = include_str!("../sql/rebuild_left_out_insert.sql");
/// Events of one transaction.
const PAGE: i64 = 1_000;
/// So many in all partitions are folded while writers wait: some 50 ms.
const NEAR: Position = 500;

/// One page of each partition; then the attach.
pub(super) async fn catch_up(model: &Model, rebuild: &Rebuild, ground: &Ground) -> Result<Done, StepError> {
    let shape = shape(model, rebuild)?;
    let (name, version, number) = rebuild.key();
    let places: Vec<Position> =
        sqlx::query_scalar(PLACES).bind(name).bind(version).bind(number).fetch_all(&ground.db).await?;
    let mut tx = ground.db.begin().await?;
    sqlx::query(SNAPSHOT).execute(&mut *tx).await?;
    let frontier = frontier(model, ground, &mut tx).await?;
    tx.rollback().await?;
    let behind: Position = frontier.positions.iter().zip(&places).map(|(ahead, own)| (ahead - own).max(0)).sum();
    if behind <= NEAR {
        return attach::attach(model, rebuild, ground).await;
    }
    for (partition, place) in (0_i16..).zip(places) {
        let mut tx = ground.db.begin().await?;
        page(&**shape, rebuild, (partition, place), &frontier, &mut tx).await?;
        faults::point("rebuild.caught_up");
        tx.commit().await?;
    }
    Ok(Done::Some)
}

/// Folds a page of a partition, and moves the rebuild's place there; answers with whether that is the end.
pub(super) async fn page(
    shape: &dyn Shape,
    rebuild: &Rebuild,
    (partition, place): (i16, Position),
    frontier: &Frontier,
    tx: &mut PgConnection,
) -> Result<bool, StepError> {
    let upto = frontier.positions.get(usize::try_from(partition).unwrap_or(0)).copied().unwrap_or(0);
    if upto <= place {
        return Ok(true);
    }
    let events = sweep::of_partition(&mut *tx, partition, (place, upto), shape.types(), PAGE).await?;
    let is_end = (events.len() as i64) < PAGE;
    let reached = if is_end { upto } else { events.last().map_or(upto, |event| event.position) };
    let is_held = |event: &sweep::Swept| frontier.held_back.contains(&(event.stream_id.clone(), event.version));
    let (held, free): (Vec<_>, Vec<_>) = events.iter().partition(|event| is_held(event));
    let folds: Vec<FoldEvent<'_>> = free.into_iter().map(as_fold).collect();
    shape.fold(rebuild.version().number, &folds, tx).await?;
    let (name, version, number) = rebuild.key();
    if !held.is_empty() {
        let (streams, versions): (Vec<&str>, Vec<i32>) =
            held.into_iter().map(|event| (event.stream_id.as_str(), event.version)).unzip();
        let query = sqlx::query(LEFT_OUT).bind(name).bind(version).bind(number);
        query.bind(streams).bind(versions).execute(&mut *tx).await?;
    }
    let query = sqlx::query(PLACE).bind(name).bind(version).bind(number).bind(partition);
    let moved = query.bind(place).bind(reached).execute(&mut *tx).await?;
    if moved.rows_affected() == 0 {
        return Err(StepError::Down(sqlx::Error::Io(std::io::Error::other("another process has moved its place"))));
    }
    Ok(is_end)
}
