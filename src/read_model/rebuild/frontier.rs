//! How far the live read model is: what a rebuild folds goes no further before it is attached.

use std::collections::HashSet;

use sqlx::PgConnection;

use super::Ground;
use super::mended::Mended;
use crate::contracts::Position;
use crate::event_store;
use crate::read_model::{FedBy, Model};
use crate::subscription::{checkpoint, standing};

/// The last position of each partition that the live model has folded, and of the events up to there those that it has not,
/// because its consumer holds them back, and those that it has folded otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct Frontier {
    pub positions: Vec<Position>,
    pub held_back: HashSet<(String, i32)>,
    pub mended: Mended,
}

/// As one snapshot sees it: `db` is in a transaction of its own isolation, or holds the model alone.
pub(super) async fn frontier(model: &Model, ground: &Ground, db: &mut PgConnection) -> sqlx::Result<Frontier> {
    let count = ground.partitions.count();
    Ok(match model.fed_by() {
        FedBy::Log => Frontier {
            positions: checkpoint::positions(model.name(), checkpoint::LOG, count, db).await?,
            ..Frontier::default()
        },
        FedBy::Decisions => Frontier { positions: event_store::head_positions(db).await?, ..Frontier::default() },
        FedBy::Consumer { name, topic } => Frontier {
            positions: checkpoint::positions(name, topic, count, &mut *db).await?,
            held_back: standing::held_back(name, &mut *db).await?.into_iter().collect(),
            mended: Mended::of(model, db).await?,
        },
    })
}
