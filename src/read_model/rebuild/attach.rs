//! The moment from which the same transactions write both versions: while nobody writes the model, the rest is folded.

use std::collections::HashSet;

use super::catch_up::page;
use super::frontier::frontier;
use super::row::Phase;
use super::{Done, Ground, Rebuild, StepError, shape};
use crate::contracts::Position;
use crate::event_store::sweep;
use crate::faults;
use crate::postgres::{self, Fault};
use crate::read_model::shape::as_fold;
use crate::read_model::{Model, versions};
use crate::subscription::FoldEvent;

const PLACES: &str = include_str!("../sql/rebuild_places.sql");
const LEFT_OUT: &str = include_str!("../sql/rebuild_left_out.sql");
const APPLIED: &str = include_str!("../sql/rebuild_left_out_delete.sql");
const ATTACH: &str = include_str!("../sql/rebuild_attach.sql");
/// Writers queue behind a lock that is waited for: not for long.
const PATIENCE: &str = "set local lock_timeout = '1s'";

/// Attaches the version, or waits for what stands in the way.
pub(super) async fn attach(model: &Model, rebuild: &Rebuild, ground: &Ground) -> Result<Done, StepError> {
    let shape = shape(model, rebuild)?;
    let (name, version, number) = rebuild.key();
    let mut tx = ground.db.begin().await?;
    sqlx::query(PATIENCE).execute(&mut *tx).await?;
    match versions::lock_alone(name, &mut tx).await {
        Ok(()) => {}
        Err(error) if postgres::classify(&error) == Fault::Contended => {
            tx.rollback().await?;
            rebuild.hold(Some("writers of the model do not let go; it is tried again"), &ground.db).await?;
            return Ok(Done::Waits);
        }
        Err(error) => return Err(error.into()),
    }
    let unable = versions::without_code(name, rebuild.version().code, &mut *tx).await?;
    if !unable.is_empty() {
        tx.rollback().await?;
        let why = format!(
            "{} cannot fold version {} of the code: end what runs an older build",
            unable.join(", "),
            rebuild.version().code
        );
        rebuild.hold(Some(&why), &ground.db).await?;
        return Ok(Done::Waits);
    }
    let frontier = frontier(model, ground, &mut tx).await?;
    let places: Vec<Position> =
        sqlx::query_scalar(PLACES).bind(name).bind(version).bind(number).fetch_all(&mut *tx).await?;
    for (partition, mut place) in (0_i16..).zip(places) {
        while !page(&**shape, rebuild, (partition, place), &frontier, &mut tx).await? {
            let query = sqlx::query_scalar(PLACES).bind(name).bind(version).bind(number);
            let moved: Vec<Position> = query.fetch_all(&mut *tx).await?;
            place = moved.get(usize::try_from(partition).unwrap_or(0)).copied().unwrap_or(place);
        }
    }
    // Held back when it was passed, and applied since: what was folded before lacks it.
    let query = sqlx::query_as(LEFT_OUT).bind(name).bind(version).bind(number);
    let left_out: Vec<(String, i32)> = query.fetch_all(&mut *tx).await?;
    let held: &HashSet<(String, i32)> = &frontier.held_back;
    let applied: Vec<(String, i32)> = left_out.into_iter().filter(|event| !held.contains(event)).collect();
    if !applied.is_empty() {
        let mut events = sweep::places(&mut *tx, &applied).await?;
        frontier.mended.apply(&mut events)?;
        let folds: Vec<FoldEvent<'_>> = events.iter().map(as_fold).collect();
        shape.fold(rebuild.version().number, &folds, &mut tx).await?;
        let (streams, versions): (Vec<String>, Vec<i32>) = applied.into_iter().unzip();
        let query = sqlx::query(APPLIED).bind(name).bind(version).bind(number);
        query.bind(streams).bind(versions).execute(&mut *tx).await?;
    }
    if let Err(error) = shape.seal(rebuild.version().number, &mut tx).await {
        return Err(match postgres::classify(&error) {
            Fault::Lost | Fault::Unavailable | Fault::Contended => error.into(),
            _ => StepError::Failed(format!("its rows are against a rule of its table: {error}")),
        });
    }
    let attached = sqlx::query(ATTACH).bind(name).bind(version).bind(number).execute(&mut *tx).await?;
    if attached.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(Done::Ready);
    }
    rebuild.enter(Phase::Verify, &mut *tx).await?;
    faults::point("rebuild.attaching");
    tx.commit().await?;
    faults::point("rebuild.attached");
    Ok(Done::Some)
}
