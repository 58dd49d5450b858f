//! Replays: dead letters on their way back to their own consumer, in order, at a bounded rate. An operator asks; the
//! parked worker of whichever process carries out; all there is between the two are rows.

mod course;
mod progress;

use std::ops::RangeInclusive;

use sqlx::PgConnection;
use uuid::Uuid;

use super::patch::Patch;
use super::selection::{self, Chosen, Wanted};
use super::{Objection, release::Word};
use crate::clock;

pub use course::{Due, done, fail, next};
pub use progress::{Progress, list};

const LOCK_LETTERS: &str = include_str!("sql/replay_lock_letters.sql");
const ELSEWHERE: &str = include_str!("sql/replay_elsewhere.sql");
const PAYLOADS: &str = include_str!("sql/letters_payloads.sql");
const PATCH: &str = include_str!("sql/letters_patch.sql");
const INSERT: &str = include_str!("sql/replay_insert.sql");
const INSERT_LETTERS: &str = include_str!("sql/replay_letters_insert.sql");
const RUNNING: &str = include_str!("sql/replay_running.sql");
const STOP: &str = include_str!("sql/replay_stop.sql");

/// Letters a second.
pub const PER_SECOND: RangeInclusive<f32> = 0.1..=1000.0;
/// Payloads that are looked at together.
const PAGE: usize = 100;

/// A replay as it is asked for: its letters in the order they will go.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The id it will have.
    pub replay_id: Uuid,
    /// Whose letters.
    pub consumer: String,
    /// Which, in order.
    pub letters: Vec<Uuid>,
    /// What changes in each payload, as a JSON patch; `None` for nothing.
    pub patch: Option<String>,
    /// Most letters a second: see [`PER_SECOND`].
    pub per_second: f32,
}

/// A replay that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Running {
    /// Whose letters.
    pub consumer: String,
    /// How many there are.
    pub total: i32,
    /// How many have gone.
    pub done: i32,
}

/// Chooses the letters of a replay and sees that each can go: it is open, has a place in a stream, and the patch fits it.
///
/// # Errors
/// [`Objection`], naming the letter that is against it.
pub async fn plan(
    wanted: &Wanted,
    patch: Option<String>,
    per_second: f32,
    tx: &mut PgConnection,
) -> Result<(Request, Vec<Chosen>), Objection> {
    if !PER_SECOND.contains(&per_second) {
        let (least, most) = (PER_SECOND.start(), PER_SECOND.end());
        return Err(Objection::Invalid(format!("{per_second} letters a second: {least} to {most} can be had")));
    }
    let parsed = patch.as_deref().map(Patch::parse).transpose();
    let parsed = parsed.map_err(|why| Objection::Invalid(format!("the patch cannot be used: {why}")))?;
    let chosen = selection::choose(wanted, tx).await?;
    let consumer = of_one_consumer(&chosen)?.to_owned();
    if let Some(foreign) = chosen.iter().find(|letter| letter.event_id.is_none()) {
        let others = chosen.iter().filter(|letter| letter.event_id.is_none()).count() - 1;
        return Err(Objection::Invalid(format!(
            "letter {}{} is of a record that is no event of the log: it has no place in an order, and can be exported or \
             discarded, not replayed",
            foreign.letter_id,
            if others > 0 { format!(", as {others} more,") } else { String::new() }
        )));
    }
    let letters: Vec<Uuid> = chosen.iter().map(|letter| letter.letter_id).collect();
    if let Some(patch) = &parsed {
        fits(patch, &letters, tx).await?;
    }
    Ok((Request { replay_id: clock::new_id(), consumer, letters, patch, per_second }, chosen))
}

fn of_one_consumer(chosen: &[Chosen]) -> Result<&str, Objection> {
    let mut consumers: Vec<&str> = chosen.iter().map(|letter| letter.consumer.as_str()).collect();
    consumers.sort_unstable();
    consumers.dedup();
    match consumers.as_slice() {
        [one] => Ok(one),
        many => Err(Objection::Invalid(format!(
            "these letters are of {}, and a replay is of one consumer: add --consumer",
            many.join(" and ")
        ))),
    }
}

async fn fits(patch: &Patch, letters: &[Uuid], tx: &mut PgConnection) -> Result<(), Objection> {
    for page in letters.chunks(PAGE) {
        let payloads: Vec<(Uuid, Option<Vec<u8>>)> = sqlx::query_as(PAYLOADS).bind(page).fetch_all(&mut *tx).await?;
        for (letter, payload) in payloads {
            patch
                .apply(payload.as_deref().unwrap_or_default())
                .map_err(|why| Objection::Invalid(format!("the patch cannot be used for letter {letter}: {why}")))?;
        }
    }
    Ok(())
}

/// Writes a replay down; the parked worker begins with it when those asked for earlier have ended.
///
/// # Errors
/// [`Objection`] if one of its letters is not open any more, or is on its way already.
pub async fn request(request: &Request, word: Word<'_>, tx: &mut PgConnection) -> Result<(), Objection> {
    let open: Vec<Uuid> = sqlx::query_scalar(LOCK_LETTERS).bind(&request.letters).fetch_all(&mut *tx).await?;
    if let Some(other) = request.letters.iter().find(|id| !open.contains(id)) {
        return Err(Objection::NotNow(format!("letter {other} is not open any more; nothing was done")));
    }
    let elsewhere: Option<(Uuid, Uuid)> =
        sqlx::query_as(ELSEWHERE).bind(&request.letters).fetch_optional(&mut *tx).await?;
    if let Some((letter, replay)) = elsewhere {
        return Err(Objection::NotNow(format!(
            "letter {letter} is part of the replay {replay}, which is running; wait for it, or `ordo dlq stop {replay}`"
        )));
    }
    sqlx::query(PATCH).bind(&request.letters).bind(&request.patch).execute(&mut *tx).await?;
    sqlx::query(INSERT)
        .bind(request.replay_id)
        .bind(&request.consumer)
        .bind(word.by)
        .bind(word.why)
        .bind(request.per_second)
        .bind(i32::try_from(request.letters.len()).unwrap_or(i32::MAX))
        .execute(&mut *tx)
        .await?;
    sqlx::query(INSERT_LETTERS).bind(request.replay_id).bind(&request.letters).execute(tx).await?;
    Ok(())
}

/// A replay, if it is running.
///
/// # Errors
/// [`Objection`] if there is none of that id, or it has ended.
pub async fn running(replay_id: Uuid, tx: &mut PgConnection) -> Result<Running, Objection> {
    let found: Option<(String, String, i32, i32)> = sqlx::query_as(RUNNING).bind(replay_id).fetch_optional(tx).await?;
    match found {
        Some((consumer, state, total, done)) if state == "running" => Ok(Running { consumer, total, done }),
        Some((_, state, ..)) => {
            Err(Objection::NotNow(format!("replay {replay_id} is {state}, and so cannot be stopped")))
        }
        None => {
            Err(Objection::Missing(format!("there is no replay {replay_id}; `ordo dlq replays` shows those there are")))
        }
    }
}

/// Stops a replay: the letter that is being replayed is the last, and the others stay open.
///
/// # Errors
/// [`Objection`] if it has ended meanwhile.
pub async fn stop(replay_id: Uuid, word: Word<'_>, tx: &mut PgConnection) -> Result<Running, Objection> {
    let why = format!("{}: {}", word.by, word.why);
    match sqlx::query_as(STOP).bind(replay_id).bind(why).fetch_optional(&mut *tx).await? {
        Some(stopped) => Ok(stopped),
        None => running(replay_id, tx).await,
    }
}
