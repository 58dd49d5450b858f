//! What the relay says it has published, compared with what the topics hold.

use sqlx::PgPool;

use crate::actors::relay::RELAY;
use crate::config::Config;
use crate::event_store::{PartitionError, Partitions};
use crate::kafka::{self, Published, Report, VerifyError};
use crate::subscription::checkpoint::{self, LOG};

/// Why the topics could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum TopicsError {
    /// The log does not say how it is divided.
    #[error(transparent)]
    Log(#[from] PartitionError),
    /// Kafka or Postgres went away.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// Compares every topic with the log up to the relay's checkpoint, one report a topic and partition. `progress` hears for
/// each batch how many records were compared.
///
/// # Errors
/// [`TopicsError`].
pub async fn verify_topics(db: &PgPool, config: &Config, progress: impl Fn(u64)) -> Result<Vec<Report>, TopicsError> {
    let mut published = Vec::new();
    for partition in Partitions::load(db).await?.all() {
        let through = checkpoint::position(db, RELAY, LOG, partition).await.map_err(VerifyError::Postgres)?;
        published.push(Published { partition, through: through.unwrap_or(0) });
    }
    Ok(kafka::verify(db, &config.kafka, &published, progress).await?)
}
