//! Makes a read model anew from the log while the one in use is read and written: table, bulk, indexes, catching up, and an
//! attach after which every transaction that writes the model writes both. Then the two are compared, an operator makes the
//! new one active, or takes that back, and the old one goes after a while.
//!
//! A rebuild is a row, and each step one or several short transactions that leave it resumable: whoever dies in the middle
//! leaves what is committed, and the next process goes on from there.

mod attach;
mod bulk;
mod catch_up;
mod config;
pub mod control;
mod frontier;
mod index;
mod mended;
pub mod one_row;
mod prepare;
pub mod promote;
mod retire;
mod row;
mod state;
mod verify;

use std::collections::BTreeMap;

use sqlx::PgPool;
use uuid::Uuid;

use super::shape::Stuck;
use super::{Model, Shape};
use crate::event_store::{self, Partitions};
use crate::postgres::{self, Fault};
use crate::subscription::{Failure, checkpoint};
use crate::{faults, telemetry};

pub use bulk::{Bounds, Piece, fold as fold_piece};
pub use config::Config;
pub use retire::retire;
pub use row::{Phase, Rebuild, claim, give_back};
pub use state::Step;
pub use verify::Difference;

/// What a rebuild works with.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Postgres.
    pub db: PgPool,
    /// How the log is divided.
    pub partitions: Partitions,
    /// Who works: this process.
    pub owner: Uuid,
    /// How it is done.
    pub config: Config,
}

/// What came of a step.
#[derive(Debug)]
pub enum Done {
    /// There may be more to do at once.
    Some,
    /// Pieces to be folded side by side.
    Pieces(Vec<Piece>),
    /// It waits, for the reason that its row tells.
    Waits,
    /// It rests until an operator decides.
    Ready,
}

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The rebuild cannot go on: an event is against its fold, a table cannot be made.
    #[error("{0}")]
    Failed(String),
    /// Postgres does not answer now; the same step again.
    #[error(transparent)]
    Down(sqlx::Error),
}

impl From<sqlx::Error> for StepError {
    fn from(error: sqlx::Error) -> Self {
        match postgres::classify(&error) {
            Fault::Lost | Fault::Unavailable | Fault::Contended => Self::Down(error),
            Fault::Rejected | Fault::Broken | Fault::VersionTaken | Fault::StockTaken | Fault::PositionTaken => {
                Self::Failed(format!("Postgres refuses: {error}"))
            }
        }
    }
}

impl From<Stuck> for StepError {
    fn from(stuck: Stuck) -> Self {
        match stuck {
            Stuck::Event { .. } => Self::Failed(stuck.to_string()),
            Stuck::Failed(failure) => failure.into(),
        }
    }
}

impl From<Failure> for StepError {
    fn from(failure: Failure) -> Self {
        match &failure {
            Failure::Poison(_) | Failure::Permanent(_) | Failure::Panic { .. } => Self::Failed(failure.chain()),
            _ => Self::Down(sqlx::Error::Io(std::io::Error::other(failure.chain()))),
        }
    }
}

/// The version of the model's code that a rebuild is of.
fn shape<'m>(model: &'m Model, rebuild: &Rebuild) -> Result<&'m std::sync::Arc<dyn Shape>, StepError> {
    model.shape(rebuild.version().code).ok_or_else(|| {
        StepError::Failed(format!("this build has no version {} of {}", rebuild.version().code, model.name()))
    })
}

/// Why a rebuild had better wait, if so: a view that follows the log, or the relay, is further behind than it may be.
///
/// # Errors
/// What Postgres says.
pub async fn live_lag(ground: &Ground) -> sqlx::Result<Option<String>> {
    let heads = event_store::head_positions(&mut *ground.db.acquire().await?).await?;
    // Not everybody who has a place in the log follows it: the dead letters' publisher only has its lease there.
    let views = control::names(&ground.db).await?;
    let follows = |name: &String| name == checkpoint::RELAY || views.contains(name);
    let mut behind: BTreeMap<String, i64> = BTreeMap::new();
    let places = checkpoint::all(&ground.db).await?;
    for place in places.into_iter().filter(|place| place.source == checkpoint::LOG && follows(&place.subscription)) {
        let head = usize::try_from(place.partition).ok().and_then(|partition| heads.get(partition));
        *behind.entry(place.subscription).or_default() += head.map_or(0, |head| (head - place.position).max(0));
    }
    let furthest = behind.into_iter().max_by_key(|(_, events)| *events);
    Ok(furthest.filter(|(_, events)| *events > ground.config.lag_bound).map(|(name, events)| {
        format!("{name} is {events} events behind, more than {}; it goes on by itself", ground.config.lag_bound)
    }))
}

/// One step of a rebuild that is ours for a while.
///
/// # Errors
/// [`StepError`]; what was committed stays.
pub async fn step(model: &Model, rebuild: &Rebuild, ground: &Ground) -> Result<Done, StepError> {
    let step = state::next(rebuild);
    faults::point(step.point());
    telemetry::read_model::step(model.name(), rebuild.version(), step.name());
    match step {
        Step::Prepare => prepare::prepare(model, rebuild, ground).await,
        Step::Bulk => bulk::left(rebuild, ground).await,
        Step::Index => index::index(model, rebuild, ground).await,
        Step::CatchUp => catch_up::catch_up(model, rebuild, ground).await,
        Step::Verify => verify::verify(model, rebuild, ground).await,
        Step::Rest => Ok(Done::Ready),
    }
}
