//! Makes the table, without what only slows a load down, and divides the log into pieces.

use super::frontier::frontier;
use super::row::Phase;
use super::{Done, Ground, Rebuild, StepError, shape};
use crate::event_store::sweep;
use crate::read_model::Model;

const SNAPSHOT: &str = "set transaction isolation level repeatable read";
const PIECES: &str = include_str!("../sql/rebuild_pieces_insert.sql");
const PLACES: &str = include_str!("../sql/rebuild_places_insert.sql");
const LEFT_OUT: &str = include_str!("../sql/rebuild_left_out_insert.sql");

/// All of it in one transaction, so that nothing is half made.
pub(super) async fn prepare(model: &Model, rebuild: &Rebuild, ground: &Ground) -> Result<Done, StepError> {
    let shape = shape(model, rebuild)?;
    let (name, version, number) = rebuild.key();
    let mut tx = ground.db.begin().await?;
    sqlx::query(SNAPSHOT).execute(&mut *tx).await?;
    let frontier = frontier(model, ground, &mut tx).await?;
    let total: i64 = frontier.positions.iter().sum();
    let pieces = if shape.has_shared_rows() {
        of_partitions(&frontier.positions, ground.config.piece_events)
    } else {
        let mut pieces = Vec::new();
        for prefix in shape.streams() {
            let ranges = sweep::split(&mut *tx, prefix, ground.config.piece_events, total).await?;
            pieces.extend(ranges.into_iter().map(|range| (None, range.after, range.upto)));
        }
        pieces
    };
    let made = shape.make(rebuild.version().number, true, &mut tx).await;
    made.map_err(|error| StepError::Failed(format!("its table could not be made: {error}")))?;
    let (mut partitions, mut afters, mut uptos) = (Vec::new(), Vec::new(), Vec::new());
    for (partition, after, upto) in pieces {
        partitions.push(partition);
        afters.push(after);
        uptos.push(upto);
    }
    let query = sqlx::query(PIECES).bind(name).bind(version).bind(number);
    query.bind(partitions).bind(afters).bind(uptos).execute(&mut *tx).await?;
    let query = sqlx::query(PLACES).bind(name).bind(version).bind(number);
    query.bind(&frontier.positions).bind(total).execute(&mut *tx).await?;
    let (streams, versions): (Vec<String>, Vec<i32>) = frontier.held_back.into_iter().unzip();
    let query = sqlx::query(LEFT_OUT).bind(name).bind(version).bind(number);
    query.bind(streams).bind(versions).execute(&mut *tx).await?;
    rebuild.enter(Phase::Bulk, &mut *tx).await?;
    tx.commit().await?;
    Ok(Done::Some)
}

/// Positions as text, in which streams are given too.
fn of_partitions(upto: &[i64], events: i64) -> Vec<(Option<i16>, String, String)> {
    let mut pieces = Vec::new();
    for (partition, upto) in (0_i16..).zip(upto) {
        let mut after = 0;
        while after < *upto {
            let end = (after + events).min(*upto);
            pieces.push((Some(partition), after.to_string(), end.to_string()));
            after = end;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_partitions_hold_every_position_once() {
        let pieces = of_partitions(&[0, 10, 5], 5);
        let named: Vec<(Option<i16>, &str, &str)> =
            pieces.iter().map(|(partition, after, upto)| (*partition, after.as_str(), upto.as_str())).collect();
        assert_eq!(named, [(Some(1), "0", "5"), (Some(1), "5", "10"), (Some(2), "0", "5")]);
    }
}
