//! One row made anew from its events, in place: for one that is not trusted, where the model is.

use sqlx::PgConnection;

use crate::contracts::Position;
use crate::event_store;
use crate::read_model::{FedBy, Model};
use crate::subscription::models::{self, Attached};
use crate::subscription::{FoldEvent, Objection, checkpoint};

/// Most events of a stream that are folded so.
const MOST: i64 = 100_000;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The stream that the row is folded from.
    pub stream_id: String,
    /// Events folded: those that the live model has come to.
    pub events: usize,
    /// Versions whose row was written anew, because it was not what its events come to.
    pub changed: Vec<String>,
    /// Versions that are written.
    pub versions: Vec<String>,
}

/// Folds the row of `key` from its stream, into every version that is written. Whoever writes the model waits meanwhile: the
/// row holds what the others hold, no event more and none less.
///
/// # Errors
/// [`Objection`] if rows of this model have no stream of their own, or that stream has no event yet.
pub async fn renew(model: &Model, key: &str, tx: &mut PgConnection) -> Result<Renewed, Objection> {
    let name = model.name();
    let whole = format!("`ordo projections rebuild {name}` makes all of it anew");
    let (Some(stream_id), FedBy::Log) = (model.newest().stream_of(key), model.fed_by()) else {
        return Err(Objection::Invalid(format!("a row of {name} is fed by events of many streams; {whole}")));
    };
    // In the order of every transaction that writes the model: its versions, then its place.
    let written = models::share(&[name], tx).await?;
    let Some(first) = event_store::stream(&mut *tx, &stream_id, 0, 1).await?.pop() else {
        return Err(Objection::Missing(format!(
            "there is no event of {stream_id}, which the row {key:?} of {name} comes from"
        )));
    };
    let reached: Option<Position> = checkpoint::lock_place(name, checkpoint::LOG, first.partition, tx).await?;
    let mut events = event_store::stream(&mut *tx, &stream_id, 0, MOST).await?;
    events.retain(|event| event.position <= reached.unwrap_or(0));
    if events.is_empty() {
        return Err(Objection::NotNow(format!("{name} has not come to {stream_id} yet: it folds it within moments")));
    }
    let folds: Vec<FoldEvent<'_>> = events.iter().map(FoldEvent::from).collect();
    let mut renewed = Renewed { stream_id, events: folds.len(), changed: Vec::new(), versions: Vec::new() };
    for Attached { version, .. } in written.of(name) {
        let Some(shape) = model.shape(version.code) else {
            return Err(Objection::NotNow(format!(
                "version {version} of {name} is written, and this build cannot: ask one that can"
            )));
        };
        let differs = shape.renew(version.number, &folds, tx).await;
        let differs = differs
            .map_err(|failure| Objection::Invalid(format!("{}: {}; {whole}", renewed.stream_id, failure.chain())))?;
        renewed.versions.push(version.to_string());
        renewed.changed.extend(differs.then(|| version.to_string()));
    }
    Ok(renewed)
}
