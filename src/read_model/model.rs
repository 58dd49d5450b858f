//! A read model with every version of its code that this build has: folds each event into every version that is written.

use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::{Connection as _, PgConnection, PgPool};

use super::shape::{Of, Shape};
use super::{Projection, fold, versions};
use crate::subscription::models::{Attached, Written};
use crate::subscription::{Failure, Fold, FoldEvent};

/// In whose transaction a read model is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FedBy {
    /// In that of the subscription of its name, which follows the log.
    Log,
    /// In that of whoever appends the events.
    Decisions,
    /// In that of a consumer that receives the events.
    Consumer {
        /// Its name.
        name: &'static str,
        /// What it reads them from.
        topic: &'static str,
    },
}

/// A read model.
#[derive(Clone)]
pub struct Model {
    name: &'static str,
    fed_by: FedBy,
    /// The newest first.
    shapes: Vec<Arc<dyn Shape>>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let codes: Vec<u16> = self.codes().collect();
        f.debug_struct("Model").field("name", &self.name).field("codes", &codes).finish_non_exhaustive()
    }
}

impl Model {
    /// A read model as this build's projection has it.
    #[must_use]
    pub fn of<P: Projection>(fed_by: FedBy) -> Self {
        Self { name: P::NAME, fed_by, shapes: vec![Arc::new(Of::<P>::default())] }
    }

    /// And as an older projection had it, which is written on for as long as one of its tables is: so builds of before and
    /// after a change run side by side.
    ///
    /// # Panics
    /// If `P` is another read model, or no older one.
    #[must_use]
    pub fn and_before<P: Projection>(mut self) -> Self {
        let is_older = self.shapes.last().is_some_and(|newer| newer.code() > P::VERSION);
        assert!(P::NAME == self.name && is_older, "version {} of {} is no older {}", P::VERSION, P::NAME, self.name);
        self.shapes.push(Arc::new(Of::<P>::default()));
        self
    }

    /// Its name, and that of the subscription that feeds it from the log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// In whose transaction it is written.
    #[must_use]
    pub fn fed_by(&self) -> FedBy {
        self.fed_by
    }

    /// Versions of the code that this build has, the newest first.
    pub fn codes(&self) -> impl Iterator<Item = u16> + '_ {
        self.shapes.iter().map(|shape| shape.code())
    }

    /// The newest.
    #[must_use]
    pub fn newest(&self) -> &Arc<dyn Shape> {
        &self.shapes[0]
    }

    /// That version of the code, if this build has it.
    #[must_use]
    pub fn shape(&self, code: u16) -> Option<&Arc<dyn Shape>> {
        self.shapes.iter().find(|shape| shape.code() == code)
    }

    /// The active version first: what it cannot fold stops it. Another one that cannot is left behind.
    async fn fold_all(
        &self,
        events: &[FoldEvent<'_>],
        written: &Written,
        db: &mut PgConnection,
    ) -> Result<(), Failure> {
        for Attached { version, is_active } in written.of(self.name) {
            let Some(shape) = self.shape(version.code) else { return Err(fold::unknown(self.name, version)) };
            if *is_active {
                shape.fold(version.number, events, &mut *db).await?;
                continue;
            }
            let mut tx = db.begin().await?;
            match shape.fold(version.number, events, &mut tx).await {
                Ok(()) => tx.commit().await?,
                Err(failure @ (Failure::Poison(_) | Failure::Permanent(_))) => {
                    tx.rollback().await?;
                    let why = failure.chain();
                    tracing::error!(model = self.name, %version, error = why, "a version of a read model is left behind");
                    versions::detach(self.name, *version, &why, &mut *db).await?;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }
}

impl Fold for Model {
    fn name(&self) -> &'static str {
        self.name
    }

    fn reads(&self, event_type: &str) -> bool {
        self.shapes.iter().any(|shape| shape.types().contains(&event_type))
    }

    fn fold<'a>(
        &'a self,
        events: &'a [FoldEvent<'a>],
        written: &'a Written,
        db: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.fold_all(events, written, db))
    }
}

/// Makes the first table of each read model that has none. Where there is one of an older code, the newer one is offered
/// to be rebuilt, and nothing is made.
///
/// # Errors
/// What Postgres says.
pub async fn create_tables(models: &[Model], db: &PgPool) -> sqlx::Result<()> {
    for model in models {
        let mut tx = db.begin().await?;
        if versions::remember_first(model.name, model.newest().code(), &mut tx).await? {
            model.newest().make(1, false, &mut tx).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}
