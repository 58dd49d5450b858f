//! Folds pieces of the log, many side by side, each in a transaction of its own that also says that it is done.

use std::collections::HashSet;

use sqlx::{Connection, PgConnection};

use super::mended::Mended;
use super::row::Phase;
use super::{Ground, Rebuild, StepError, shape};
use crate::contracts::Position;
use crate::event_store::sweep::{self, StreamRange, Swept};
use crate::faults::{self, Defect};
use crate::read_model::Model;

use super::Done;

const LEFT: &str = include_str!("../sql/rebuild_pieces_left.sql");
const PLACES: &str = include_str!("../sql/rebuild_places.sql");
const LEFT_OUT: &str = include_str!("../sql/rebuild_left_out.sql");
const DONE: &str = include_str!("../sql/rebuild_piece_done.sql");
/// Rows and the word that they are there are lost together: then the piece is folded again.
const LAZY: &str = "set local synchronous_commit = off";
/// Most pieces handed out at once.
const HANDED: i64 = 256;

/// A piece of the log that is not folded yet.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Piece {
    /// Its number.
    pub piece: i32,
    partition: Option<i16>,
    after: String,
    upto: String,
}

/// The next pieces, or on to the indexes.
pub(super) async fn left(rebuild: &Rebuild, ground: &Ground) -> Result<Done, StepError> {
    let (name, version, number) = rebuild.key();
    let query = sqlx::query_as(LEFT).bind(name).bind(version).bind(number).bind(HANDED);
    let pieces: Vec<Piece> = query.fetch_all(&ground.db).await?;
    if pieces.is_empty() {
        rebuild.enter(Phase::Index, &ground.db).await?;
        return Ok(Done::Some);
    }
    Ok(Done::Pieces(pieces))
}

/// Positions up to which events are folded, events that are not, and those that were mended: read once for all pieces.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    upto: Vec<Position>,
    left_out: HashSet<(String, i32)>,
    mended: Mended,
}

impl Bounds {
    /// Those of a rebuild.
    ///
    /// # Errors
    /// What Postgres says.
    pub async fn of(model: &Model, rebuild: &Rebuild, ground: &Ground) -> sqlx::Result<Self> {
        let (name, version, number) = rebuild.key();
        let upto = sqlx::query_scalar(PLACES).bind(name).bind(version).bind(number).fetch_all(&ground.db).await?;
        let query = sqlx::query_as(LEFT_OUT).bind(name).bind(version).bind(number);
        let left_out: Vec<(String, i32)> = query.fetch_all(&ground.db).await?;
        Ok(Self { upto, left_out: left_out.into_iter().collect(), mended: Mended::of(model, &ground.db).await? })
    }
}

/// Folds one piece; answers with how many events it read. One that is done meanwhile is left as it is.
///
/// # Errors
/// [`StepError`].
pub async fn fold(
    model: &Model,
    rebuild: &Rebuild,
    piece: &Piece,
    bounds: &Bounds,
    db: &mut PgConnection,
) -> Result<u64, StepError> {
    let shape = shape(model, rebuild)?;
    let mut events = match (piece.partition, piece.after.parse(), piece.upto.parse()) {
        (Some(partition), Ok(after), Ok(upto)) => {
            sweep::of_partition(&mut *db, partition, (after, upto), shape.types(), i64::MAX).await?
        }
        _ => {
            let range = StreamRange { after: piece.after.clone(), upto: piece.upto.clone() };
            sweep::of_streams(&mut *db, &range, shape.types(), &bounds.upto).await?
        }
    };
    let read = events.len() as u64;
    if !bounds.left_out.is_empty() {
        events.retain(|event| !bounds.left_out.contains(&(event.stream_id.clone(), event.version)));
    }
    bounds.mended.apply(&mut events)?;
    if faults::planted(Defect::FoldWrong) {
        events.retain(|event| !forgotten(event));
    }
    faults::point("rebuild.piece_read");
    let (name, version, number) = rebuild.key();
    let newest = events.iter().map(|event| event.recorded_at).max();
    let mut tx = db.begin().await?;
    sqlx::query(LAZY).execute(&mut *tx).await?;
    shape.gather(rebuild.version().number, &events, &mut tx).await?;
    faults::point("rebuild.piece_written");
    // Last, for it locks the rebuild's row, which all pieces count in.
    let query = sqlx::query_scalar(DONE).bind(name).bind(version).bind(number).bind(piece.piece);
    let is_left: Option<i32> =
        query.bind(i64::try_from(read).unwrap_or(i64::MAX)).bind(newest).fetch_optional(&mut *tx).await?;
    if is_left.is_none() {
        tx.rollback().await?;
        return Ok(0);
    }
    tx.commit().await?;
    faults::point("rebuild.piece_done");
    Ok(read)
}

/// The planted defect: some second events of streams are passed over.
fn forgotten(event: &Swept) -> bool {
    event.version == 2 && event.stream_id.bytes().map(u32::from).sum::<u32>() % 50 == 0
}
