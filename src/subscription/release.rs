//! The end of a letter: resolved by a replay or discarded by an operator, and its stream goes on.

use sqlx::PgConnection;
use uuid::Uuid;

use super::letters::State;
use super::{Objection, checkpoint};
use crate::contracts::topics;

const LOCK_STREAMS: &str = include_str!("sql/streams_of_letters_lock.sql");
const LEDGER: &str = include_str!("sql/ledger_discard.sql");
const GUARD: &str = include_str!("sql/guard_pass_letters.sql");
const END: &str = include_str!("sql/letters_end.sql");
const RELEASE: &str = include_str!("sql/streams_release.sql");

/// What goes on when letters end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// Streams that have followers to work off, from now on.
    pub streams: u64,
    /// Those followers.
    pub followers: u64,
}

/// On whose word letters end.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    /// Who.
    pub by: &'a str,
    /// Why.
    pub why: &'a str,
}

/// Gives open letters up for good: the ledger says so, the guard moves past their events, and their streams go on.
///
/// Locks in the order of every transaction here: parked streams, ledger, guard, letters.
///
/// # Errors
/// [`Objection`] if one of them is not open any more; the transaction is to be rolled back then.
pub async fn discard(letters: &[Uuid], word: Word<'_>, tx: &mut PgConnection) -> Result<Released, Objection> {
    sqlx::query(LOCK_STREAMS).bind(letters).execute(&mut *tx).await?;
    sqlx::query(LEDGER).bind(letters).execute(&mut *tx).await?;
    // Only what comes in stream order has a guard: not the topics that mirror one type.
    let mut ordered: Vec<&str> = topics::STREAM_TOPICS.iter().map(|(topic, _)| *topic).collect();
    ordered.push(checkpoint::LOG);
    sqlx::query(GUARD).bind(letters).bind(ordered).execute(&mut *tx).await?;
    let ended = end(letters, State::Discarded, word, tx).await?;
    if let Some(other) = letters.iter().find(|id| !ended.contains(id)) {
        return Err(Objection::NotNow(format!("letter {other} is not open any more; nothing was done")));
    }
    Ok(release(letters, tx).await?)
}

/// Sets open letters to `state`; answers with those that were open.
///
/// # Errors
/// What Postgres says.
pub async fn end(letters: &[Uuid], state: State, word: Word<'_>, tx: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(END).bind(letters).bind(state.as_str()).bind(word.by).bind(word.why).fetch_all(tx).await
}

/// Lets the streams go on whose head was one of these letters: their followers are due now.
///
/// # Errors
/// What Postgres says.
pub async fn release(letters: &[Uuid], tx: &mut PgConnection) -> sqlx::Result<Released> {
    let (streams, followers): (i64, i64) = sqlx::query_as(RELEASE).bind(letters).fetch_one(tx).await?;
    Ok(Released { streams: streams.unsigned_abs(), followers: followers.unsigned_abs() })
}
