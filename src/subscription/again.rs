//! A dead letter handed back to its own consumer: for good, by a replay, or to see what would come of it.
//!
//! The ledger and the guard, which keep a repeat from taking effect, know the letter as dead: what keeps it from taking
//! effect twice is that row, which leaves that state once, in the transaction of the effect.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::consumer::{Folding, OnDeadLetter};
use super::counts::Counts;
use super::dead_letter::DeadLetter;
use super::letters::State;
use super::lone::{self, Ended, Undone};
use super::patch::Patch;
use super::release::{self, Word};
use super::replay::{self, Due};
use super::{Delivered, Failure, Lane, Record, Subscription, admit, counts, dedup, effects, letters, parking};
use crate::contracts::RecordedEvent;
use crate::event_store::Append;
use crate::{faults, telemetry};

/// Times a letter that meets another transaction is tried before its replay fails.
const TRIES: u32 = 5;

/// What would come of a letter if it were replayed now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// Whether it would take effect.
    pub succeeds: bool,
    /// In a sentence.
    pub sentence: String,
    /// Class of the failure, if it would fail.
    pub class: Option<String>,
    /// The failure and its causes.
    pub error: Option<String>,
    /// Events that would be appended.
    pub appends: Vec<WouldAppend>,
    /// Commands that would be sent; a try sends none.
    pub commands: Vec<WouldSend>,
    /// Events of its stream that would go on behind it.
    pub waiting: i32,
}

/// Events that would be appended to one stream.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WouldAppend {
    /// The stream.
    pub stream: String,
    /// Their types, in order.
    pub events: Vec<String>,
}

/// A command that would be sent.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WouldSend {
    /// To which order.
    pub order_id: Uuid,
    /// Which command.
    pub command: String,
}

/// Why a letter cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum NotTried {
    /// No such letter.
    #[error("there is no letter {0}; `ordo dlq list` shows those there are")]
    Missing(Uuid),
    /// It cannot be handed to a handler.
    #[error("{0}")]
    Invalid(String),
    /// Postgres did not answer.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

/// A letter as its handler gets it.
struct Handed {
    lane: Lane,
    delivered: Delivered,
}

impl Handed {
    fn of(letter: &DeadLetter, patch: Option<&str>) -> Result<Self, Failure> {
        let record = Record {
            offset: letter.source_offset,
            key: letter.record_key.clone(),
            value: letter.payload.clone(),
            headers: letter.header_names.iter().cloned().zip(letter.header_values.iter().cloned()).collect(),
            time: letter.source_time,
        };
        let mut delivered = admit::parked(record, &letter.source, letter.partition).map_err(Failure::poison)?;
        if let Some(patch) = patch {
            let patch = Patch::parse(patch).map_err(Failure::permanent)?;
            let payload = patch.apply(delivered.event.payload.as_bytes()).map_err(Failure::permanent)?;
            delivered.event = Arc::new(RecordedEvent { payload, ..(*delivered.event).clone() });
        }
        let subscription = letter.subscription.clone();
        let lane = Lane { subscription, source: letter.source.clone(), partition: letter.partition };
        Ok(Self { lane, delivered })
    }
}

/// Replays a letter whose turn it is.
///
/// # Errors
/// What Postgres says about the rows around it; nothing was done then, and its turn comes again.
pub async fn replay(subscription: &Subscription, due: &Due) -> sqlx::Result<Ended> {
    faults::point("replay.begun");
    let Some(letter) = letters::row(due.letter_id, &subscription.db).await? else {
        return Ok(Ended::Lost);
    };
    let mut tries = 0;
    loop {
        tries += 1;
        let done = match Handed::of(&letter, due.patch.as_deref()) {
            Ok(handed) => once(subscription, due, &handed).await,
            Err(failure) => Err(Undone::Failed(failure)),
        };
        faults::point("replay.tried");
        match done {
            Ok(waiting) => return Ok(Ended::Applied { waiting }),
            Err(Undone::Lost) => return Ok(Ended::Lost),
            Err(Undone::Held(why)) => return Ok(Ended::Waits(why)),
            Err(Undone::Failed(failure @ Failure::DependencyDown(..))) => return Ok(Ended::Waits(failure.chain())),
            Err(Undone::Failed(Failure::Contended(_) | Failure::Conflict(_))) if tries < TRIES => {}
            Err(Undone::Failed(failure)) => {
                replay::fail(due, &failure, &subscription.db).await?;
                return Ok(Ended::Failed(failure));
            }
        }
    }
}

/// One transaction: the letter takes effect, is resolved and its stream goes on, or none of it.
async fn once(subscription: &Subscription, due: &Due, Handed { lane, delivered }: &Handed) -> Result<i32, Undone> {
    let spans = lone::spans(subscription, lane, delivered);
    // Commands cannot be taken back: nothing is asked for one that is held.
    lone::held(subscription, &mut *subscription.db.acquire().await?).await?;
    effects::ask_first(subscription, &[delivered], &spans).await.map_err(|blamed| Undone::Failed(blamed.failure))?;
    let mut tx = subscription.db.begin().await?;
    let written = effects::share_models(subscription, &mut tx).await?;
    lone::held(subscription, &mut tx).await?;
    if !revive(subscription, lane, due.letter_id, delivered, &mut tx).await? {
        return Err(Undone::Failed(Failure::permanent("the ledger does not hold it as dead: it has taken effect")));
    }
    let appends = lone::decide(subscription, delivered, &spans, &written, &mut tx).await?;
    faults::point("replay.applied");
    let word = Word { by: &due.requested_by, why: &due.why };
    release::end(&[due.letter_id], State::Resolved, word, &mut tx).await?;
    let released = release::release(&[due.letter_id], &mut tx).await?;
    counts::add(lane, &Counts { applied: 1, ..Counts::default() }, &mut tx).await?;
    // Stopped meanwhile, or another process was faster.
    if !replay::done(due.replay_id, due.ordinal, &mut tx).await? {
        return Err(Undone::Lost);
    }
    let events = effects::write(subscription, &[delivered], appends, &written, &mut tx).await?;
    faults::point("replay.written");
    tx.commit().await?;
    faults::point("replay.committed");
    subscription.bell.ring_all(events);
    telemetry::subscription::parked_applied(lane, delivered);
    Ok(i32::try_from(released.followers).unwrap_or(i32::MAX))
}

/// Takes the event out of the dead, once: `false` if it is not among them any more. Behind it its stream waits: there the
/// guard moves over it, and only if it is the next. Where the stream went on without it, the guard has passed it already.
async fn revive(
    subscription: &Subscription,
    lane: &Lane,
    letter_id: Uuid,
    delivered: &Delivered,
    tx: &mut PgConnection,
) -> Result<bool, Undone> {
    let stream = delivered.event.stream_id.as_str();
    let parked = parking::lock(&subscription.name, &[stream], &mut *tx).await?;
    let blocks = parked.get(stream).is_some_and(|parked| parked.letter == Some(letter_id));
    let applied = (dedup::State::Dead, dedup::State::Applied);
    if !dedup::change(&subscription.name, delivered.event_id, applied, &mut *tx).await? {
        return Ok(false);
    }
    if blocks || subscription.on_dead_letter == OnDeadLetter::Block {
        lone::next(subscription, lane, delivered, tx).await?;
    }
    Ok(true)
}

/// Runs the handler of this build on a letter and undoes it.
///
/// # Errors
/// [`NotTried`]; a failure of the handler is an answer.
pub async fn attempt(subscription: &Subscription, letter: &DeadLetter, patch: Option<&str>) -> Result<Tried, NotTried> {
    if letter.event_id.is_none() {
        return Err(NotTried::Invalid(
            "this record is no event of the log: no handler ever sees it; export it, or discard it".to_owned(),
        ));
    }
    let stream = letter.stream_id.clone().unwrap_or_default();
    let waiting = parking::lock(&subscription.name, &[&stream], &mut *subscription.db.acquire().await?).await?;
    let waiting = waiting.get(&stream).map_or(0, |parked| parked.depth);
    let tried = match Handed::of(letter, patch) {
        Ok(handed) => would(subscription, letter.id, &handed).await,
        Err(failure) => Err(Undone::Failed(failure)),
    };
    match tried {
        Ok((appends, commands)) => Ok(Tried { waiting, ..succeeds(&appends, commands, folded(subscription)) }),
        Err(Undone::Failed(failure)) => Ok(Tried {
            succeeds: false,
            sentence: format!("it would fail again: {}", failure.chain()),
            class: Some(failure.class().to_owned()),
            error: Some(failure.chain()),
            appends: Vec::new(),
            commands: Vec::new(),
            waiting,
        }),
        Err(Undone::Held(why)) => Err(NotTried::Invalid(why)),
        Err(Undone::Lost) => {
            Err(NotTried::Invalid("it has been replayed or discarded; `ordo dlq show` says by whom".to_owned()))
        }
    }
}

async fn would(
    subscription: &Subscription,
    letter_id: Uuid,
    Handed { lane, delivered }: &Handed,
) -> Result<(Vec<Append>, Vec<WouldSend>), Undone> {
    let spans = lone::spans(subscription, lane, delivered);
    let commands = effects::commands(subscription, &[delivered]).map_err(|blamed| Undone::Failed(blamed.failure))?;
    let mut tx = subscription.db.begin().await?;
    let written = effects::share_models(subscription, &mut tx).await?;
    lone::held(subscription, &mut tx).await?;
    if !revive(subscription, lane, letter_id, delivered, &mut tx).await? {
        return Err(Undone::Lost);
    }
    let appends = lone::decide(subscription, delivered, &spans, &written, &mut tx).await?;
    let written = effects::write(subscription, &[delivered], appends.clone(), &written, &mut tx).await;
    tx.rollback().await?;
    written?;
    let would_send = |command: super::OrderCommand| WouldSend {
        order_id: command.order_id.into(),
        command: command.command.name().to_owned(),
    };
    Ok((appends, commands.into_iter().map(would_send).collect()))
}

/// The read models that a letter of this consumer is folded into by itself.
fn folded(subscription: &Subscription) -> Vec<&'static str> {
    match subscription.folding {
        Folding::Decided => Vec::new(),
        Folding::Received => subscription.folds.iter().map(|fold| fold.name()).collect(),
    }
}

fn succeeds(appends: &[Append], commands: Vec<WouldSend>, folded: Vec<&'static str>) -> Tried {
    let appends: Vec<WouldAppend> = appends
        .iter()
        .map(|append| WouldAppend {
            stream: append.stream_id.clone(),
            events: append.events.iter().map(|event| event.event_type.to_owned()).collect(),
        })
        .collect();
    let mut effects: Vec<String> =
        appends.iter().map(|append| format!("append {} to {}", append.events.join(", "), append.stream)).collect();
    effects.extend(commands.iter().map(|send| format!("send {} to order {}", send.command, send.order_id)));
    if !folded.is_empty() {
        effects.push(format!("count in {}", folded.join(", ")));
    }
    let sentence = match effects.as_slice() {
        [] => "it would succeed, and lead to nothing".to_owned(),
        effects => format!("it would succeed, and {}", effects.join(" and ")),
    };
    Tried { succeeds: true, sentence, class: None, error: None, appends, commands, waiting: 0 }
}
