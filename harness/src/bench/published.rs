//! How far the relay has published the log.

use anyhow::Context;
use sqlx::{Connection, PgConnection};

const PUBLISHED: &str =
    "SELECT partition, position FROM checkpoint WHERE subscription = 'relay' AND source = 'log' ORDER BY partition";

/// Whether every event up to these heads is in Kafka; `heads` by partition.
pub async fn up_to(heads: &[i64], database_url: &str) -> anyhow::Result<bool> {
    let mut session = PgConnection::connect(database_url).await.context("could not ask how far the relay is")?;
    let rows: Vec<(i16, i64)> = sqlx::query_as(PUBLISHED).fetch_all(&mut session).await?;
    session.close().await?;
    let place = |partition: usize| {
        let found = rows.iter().find(|(known, _)| usize::try_from(*known) == Ok(partition));
        found.map_or(0, |(_, position)| *position)
    };
    Ok(heads.iter().enumerate().all(|(partition, head)| place(partition) >= *head))
}
