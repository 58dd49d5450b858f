//! Folds what was appended since the rebuild began, page by page, until little enough is left to be folded while nobody
//! writes.

use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt, TryStreamExt, stream};
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
/// So many in all partitions are folded while writers wait, however fast that has been so far.
const NEAR: Position = 500;
/// Writers may wait for so long: what is left is folded meanwhile, at the pace of the last round.
const WRITERS_WAIT: Duration = Duration::from_millis(500);

/// A page of each partition; then the attach, as soon as what is left can be folded while writers wait. A busy log never
/// leaves little: what comes in while a round is done is left after it.
pub(super) async fn catch_up(model: &Model, rebuild: &Rebuild, ground: &Ground) -> Result<Done, StepError> {
    let shape = shape(model, rebuild)?;
    let before = look(model, rebuild, ground).await?;
    if before.left() <= NEAR {
        return attach::attach(model, rebuild, ground).await;
    }
    let began = Instant::now();
    let workers = usize::try_from(rebuild.workers).unwrap_or(1).max(1);
    let pages = (0_i16..).zip(before.places.iter().copied()).map(|(partition, place)| {
        let frontier = &before.frontier;
        async move {
            let mut tx = ground.db.begin().await?;
            page(&**shape, rebuild, (partition, place), frontier, &mut tx).await?;
            faults::point("rebuild.caught_up");
            tx.commit().await?;
            Ok::<(), StepError>(())
        }
        .boxed()
    });
    let pages: Vec<_> = pages.collect();
    stream::iter(pages).buffer_unordered(workers).try_collect::<()>().await?;
    let (took, after) = (began.elapsed(), look(model, rebuild, ground).await?);
    let folded = after.folded() - before.folded();
    if is_near(after.left(), folded, took) {
        return attach::attach(model, rebuild, ground).await;
    }
    Ok(Done::Some)
}

/// Whether what is left would be folded while writers may wait, at the pace of a round that folded so much in so long.
fn is_near(left: Position, folded: Position, took: Duration) -> bool {
    left as f64 * took.as_secs_f64() <= folded as f64 * WRITERS_WAIT.as_secs_f64()
}

/// How far the rebuild is, and the live model.
struct Way {
    places: Vec<Position>,
    frontier: Frontier,
}

impl Way {
    fn left(&self) -> Position {
        self.frontier.positions.iter().zip(&self.places).map(|(ahead, own)| (ahead - own).max(0)).sum()
    }

    fn folded(&self) -> Position {
        self.places.iter().sum()
    }
}

async fn look(model: &Model, rebuild: &Rebuild, ground: &Ground) -> sqlx::Result<Way> {
    let (name, version, number) = rebuild.key();
    let places = sqlx::query_scalar(PLACES).bind(name).bind(version).bind(number).fetch_all(&ground.db).await?;
    let mut tx = ground.db.begin().await?;
    sqlx::query(SNAPSHOT).execute(&mut *tx).await?;
    let frontier = frontier(model, ground, &mut tx).await?;
    tx.rollback().await?;
    Ok(Way { places, frontier })
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
    let mut events = sweep::of_partition(&mut *tx, partition, (place, upto), shape.types(), PAGE).await?;
    frontier.mended.apply(&mut events)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_no_longer_than_writers_may_wait_is_near_however_much_it_is() {
        let second = Duration::from_secs(1);
        assert!(is_near(5_000, 10_000, second), "half a second's work");
        assert!(!is_near(5_001, 10_000, second));
        // A busy log: each round leaves what came in during it.
        assert!(is_near(2_800, 2_800, Duration::from_millis(400)));
        assert!(!is_near(4_200, 4_200, Duration::from_millis(600)));
    }
}
