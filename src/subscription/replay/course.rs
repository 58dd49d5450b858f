//! A replay's way: which letter is next and when, what came of it, and the end.
//!
//! Each letter is one transaction of the parked worker, in which [`done`] is the last word before the commit. A process
//! that dies before leaves the letter as it was; one that dies after has done it. Two processes may take the same letter:
//! [`done`] says yes to one.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::clock;
use crate::subscription::Failure;
use crate::subscription::dead_letter::history::{self, LaterFailure};

const NEXT: &str = include_str!("../sql/replay_next.sql");
const LOCK: &str = include_str!("../sql/replay_lock.sql");
const SKIP: &str = include_str!("../sql/replay_skip.sql");
const DONE: &str = include_str!("../sql/replay_done.sql");
const ADVANCE: &str = include_str!("../sql/replay_advance.sql");
const FAIL: &str = include_str!("../sql/replay_fail.sql");
const FAILED: &str = include_str!("../sql/replay_letter_failed.sql");

/// A letter whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The replay it is part of.
    pub replay_id: Uuid,
    /// Its number in the replay, from 1.
    pub ordinal: i32,
    /// Which letter.
    pub letter_id: Uuid,
    /// What to change in its payload: see [`crate::subscription::patch`].
    pub patch: Option<String>,
    /// Who asked for the replay.
    pub requested_by: String,
    /// Why.
    pub why: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    replay_id: Uuid,
    requested_by: String,
    why: String,
    ordinal: Option<i32>,
    letter_id: Option<Uuid>,
    is_open: bool,
    is_due: bool,
    patch: Option<String>,
}

/// The next letter of the oldest running replay of `subscription`, if the replay's rate lets it go now. Letters that were
/// resolved or discarded since the replay was asked for are passed over, at no cost to the rate, and told as such.
///
/// The rate holds whoever asks and however often: it is counted from the times at which letters were done.
///
/// # Errors
/// What Postgres says.
pub async fn next(subscription: &str, db: &PgPool) -> sqlx::Result<Option<Due>> {
    loop {
        let row: Option<Row> = sqlx::query_as(NEXT).bind(subscription).fetch_optional(db).await?;
        let Some(row) = row else { return Ok(None) };
        match (row.ordinal, row.letter_id) {
            (Some(ordinal), Some(letter_id)) if row.is_open => {
                let Row { replay_id, patch, requested_by, why, is_due, .. } = row;
                return Ok(is_due.then_some(Due { replay_id, ordinal, letter_id, patch, requested_by, why }));
            }
            _ => skip(row.replay_id, db).await?,
        }
    }
}

/// Passes over what has ended by other means; ends the replay if nothing is left.
async fn skip(replay_id: Uuid, db: &PgPool) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    if is_running(replay_id, &mut tx).await? {
        let skipped = sqlx::query(SKIP).bind(replay_id).execute(&mut *tx).await?.rows_affected();
        advance(replay_id, i32::try_from(skipped).unwrap_or(i32::MAX), &mut tx).await?;
    }
    tx.commit().await
}

/// Notes, in the letter's own transaction, that it took effect; ends the replay with its last letter. `false` if the replay
/// was stopped or the letter is done already: the transaction must then be rolled back.
///
/// # Errors
/// What Postgres says.
pub async fn done(replay_id: Uuid, ordinal: i32, tx: &mut PgConnection) -> sqlx::Result<bool> {
    if !is_running(replay_id, tx).await? {
        return Ok(false);
    }
    let noted = sqlx::query(DONE).bind(replay_id).bind(ordinal).execute(&mut *tx).await?.rows_affected();
    if noted == 0 {
        return Ok(false);
    }
    advance(replay_id, 1, tx).await?;
    Ok(true)
}

/// Ends a replay whose letter failed: the letter stays open, with one more failed replay and the failure in its history,
/// and goes to its topic once more. `false` if the replay had ended already, and nothing was noted.
///
/// To be called when the letter's own transaction has been rolled back.
///
/// # Errors
/// What Postgres says.
pub async fn fail(due: &Due, failure: &Failure, db: &PgPool) -> sqlx::Result<bool> {
    let later = LaterFailure::of(failure, clock::now());
    let why = format!("letter {}: {}", due.letter_id, later.error.replace('\0', "\u{fffd}"));
    let mut tx = db.begin().await?;
    // The letter first, then the replay: as in the transaction of a letter.
    history::note(due.letter_id, later, &mut tx).await?;
    let ended = sqlx::query(FAIL).bind(due.replay_id).bind(due.ordinal).bind(why).execute(&mut *tx).await?;
    if ended.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    sqlx::query(FAILED).bind(due.replay_id).bind(due.ordinal).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Locks the replay until the transaction ends, so that its letters end one after the other.
async fn is_running(replay_id: Uuid, tx: &mut PgConnection) -> sqlx::Result<bool> {
    let running: Option<Uuid> = sqlx::query_scalar(LOCK).bind(replay_id).fetch_optional(tx).await?;
    Ok(running.is_some())
}

async fn advance(replay_id: Uuid, letters: i32, tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(ADVANCE).bind(replay_id).bind(letters).execute(tx).await?;
    Ok(())
}
