//! Which table a query reads: that of the active version, as this process has last seen it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgPool;

use super::{Projection, Table, versions};
use crate::subscription::models::{Attached, ModelVersion};

/// How long what was seen passes for the newest: versions that are attached are equal, and a table stays for longer than
/// that after nobody writes it any more.
const SEEN_FOR: Duration = Duration::from_millis(500);

/// A read model that this build cannot query yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no version of {model} is there that this build can read: `ordo projections rebuild {model}` makes one")]
pub struct NotBuilt {
    /// Which.
    pub model: &'static str,
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The read model is not there.
    #[error(transparent)]
    NotBuilt(#[from] NotBuilt),
    /// What Postgres says.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

/// Leads queries to tables.
#[derive(Clone, Debug)]
pub struct TableRouter {
    db: PgPool,
    seen: Arc<Mutex<HashMap<&'static str, (ModelVersion, Instant)>>>,
}

impl TableRouter {
    /// One for the read models of this database.
    #[must_use]
    pub fn new(db: PgPool) -> Self {
        Self { db, seen: Arc::default() }
    }

    /// Where queries go.
    #[must_use]
    pub fn db(&self) -> &PgPool {
        &self.db
    }

    /// The table to query: of the active version if this build can read it, else of another that is written with it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn table<P: Projection>(&self) -> Result<Table<P>, QueryError> {
        if let Some(version) = self.seen(P::NAME) {
            return Ok(Table::of(version.number));
        }
        let written = versions::written(P::NAME, &self.db).await?;
        let version = readable(&written, P::VERSION).ok_or(NotBuilt { model: P::NAME })?;
        self.lock().insert(P::NAME, (version, Instant::now()));
        Ok(Table::of(version.number))
    }

    fn seen(&self, model: &'static str) -> Option<ModelVersion> {
        self.lock().get(model).filter(|(_, at)| at.elapsed() < SEEN_FOR).map(|(version, _)| *version)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, (ModelVersion, Instant)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A build reads tables of its own code alone; all that are attached hold the same.
fn readable(written: &[Attached], code: u16) -> Option<ModelVersion> {
    let own = || written.iter().filter(|attached| attached.version.code == code);
    own().find(|attached| attached.is_active).or_else(|| own().next_back()).map(|attached| attached.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attached(code: u16, number: u32, is_active: bool) -> Attached {
        Attached { version: ModelVersion { code, number }, is_active }
    }

    #[test]
    fn a_query_reads_the_active_table_or_one_of_its_own_code_that_holds_the_same() {
        let both = [attached(1, 1, true), attached(1, 2, false), attached(2, 1, false)];
        assert_eq!(readable(&both, 1), Some(ModelVersion { code: 1, number: 1 }));
        assert_eq!(readable(&both, 2), Some(ModelVersion { code: 2, number: 1 }));
        assert_eq!(readable(&both, 3), None);
    }
}
