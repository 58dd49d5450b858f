//! Why something operators ask for is not done.

/// Nothing was changed, or what was is rolled back with its transaction.
#[derive(Debug, thiserror::Error)]
pub enum Objection {
    /// There is no such thing.
    #[error("{0}")]
    Missing(String),
    /// Its state is against it.
    #[error("{0}")]
    NotNow(String),
    /// It cannot be meant.
    #[error("{0}")]
    Invalid(String),
    /// Postgres did not answer.
    #[error("Postgres did not answer")]
    Postgres(#[from] sqlx::Error),
}
