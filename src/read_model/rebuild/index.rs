//! Key and indexes, at once and after the rows: far cheaper than row by row.

use super::row::Phase;
use super::{Done, Ground, Rebuild, StepError, shape};
use crate::faults;
use crate::postgres::{self, Fault};
use crate::read_model::Model;

/// An index is not made in pieces, whatever a statement may take otherwise.
const AS_LONG_AS_IT_TAKES: &str = "set local statement_timeout = 0";

pub(super) async fn index(model: &Model, rebuild: &Rebuild, ground: &Ground) -> Result<Done, StepError> {
    let shape = shape(model, rebuild)?;
    let mut tx = ground.db.begin().await?;
    sqlx::query(AS_LONG_AS_IT_TAKES).execute(&mut *tx).await?;
    if let Err(error) = shape.index(rebuild.version().number, &mut tx).await {
        return Err(match postgres::classify(&error) {
            Fault::Lost | Fault::Unavailable | Fault::Contended => error.into(),
            _ => StepError::Failed(format!("its indexes could not be made: {error}")),
        });
    }
    rebuild.enter(Phase::CatchUp, &mut *tx).await?;
    faults::point("rebuild.indexing");
    tx.commit().await?;
    faults::point("rebuild.indexed");
    Ok(Done::Some)
}
