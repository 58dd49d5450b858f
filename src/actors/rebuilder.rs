//! Rebuilds read models, as rows ask for it, and says which of them this process can write. One process works on a rebuild
//! at a time; if it ends, another goes on.
//!
//! Supervised by the root. What it does once is `read_model::rebuild`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use sqlx::PgConnection;
use tokio::task::JoinSet;

use super::mailbox::{Admission, Envelope, Permits};
use super::supervisor::ChildSpec;
use crate::read_model::rebuild::{self, Bounds, Done, Ground, Piece, Rebuild, StepError};
use crate::read_model::{Model, versions};
use crate::subscription::models::ModelVersion;
use crate::supervision::Crash;
use crate::{faults, telemetry};

/// Kind of this actor.
pub const REBUILDER: &str = "rebuilder";
/// Pause between two looks while nothing is to be done.
const PAUSE: Duration = Duration::from_millis(100);
/// How long pieces are folded before the row is looked at again, so that an operator is heard; far less than the lease.
const HAND: Duration = Duration::from_secs(1);
/// Pause before a step that waits for something is tried again.
const WAIT: Duration = Duration::from_secs(1);
/// How often this process says what it can fold.
const NOTE_EVERY: Duration = Duration::from_secs(5);
/// How often what nobody reads any more is looked for.
const RETIRE_EVERY: Duration = Duration::from_secs(5);
/// How long a rebuild stays with a process that has ended.
const LEASE: Duration = Duration::from_secs(10);

/// What it is made of.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// This process' name.
    pub node: String,
    /// Read models that this process writes.
    pub writes: Vec<Model>,
    /// Read models that this process rebuilds.
    pub rebuilds: Vec<Model>,
    /// What rebuilds work with.
    pub ground: Ground,
}

/// What it tells itself.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// Do what is due.
    Look,
}

/// What it holds.
pub struct State {
    arguments: Arguments,
    admission: Admission,
    note_due: Instant,
    retire_due: Instant,
    /// What was folded of the rebuild that was worked on last.
    folded: Option<Folded>,
}

/// How much of which rebuild was folded, since when: it may be ahead of the rate that is asked for, which may be changed
/// while it waits.
struct Folded {
    name: String,
    version: ModelVersion,
    began: Instant,
    events: u64,
}

impl Folded {
    /// How far what is folded is ahead of this rate, in events a second; 0 is any.
    fn ahead(&self, rate: i32) -> Duration {
        let (rate, folded) = (f64::from(rate), self.events as f64);
        let wanted = if rate > 0.0 { Duration::from_secs_f64(folded / rate) } else { Duration::ZERO };
        wanted.saturating_sub(self.began.elapsed())
    }
}

struct Rebuilder;

/// The child that rebuilds.
#[must_use]
pub fn spec(arguments: Arguments) -> ChildSpec {
    ChildSpec::new(REBUILDER, REBUILDER, move |above| start(arguments.clone(), above)).independent()
}

async fn start(arguments: Arguments, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let admission = Admission::new(REBUILDER, Permits { callers: 0, consumers: 0 });
    let (actor, _) = Actor::spawn_linked(None, Rebuilder, (arguments, admission.clone()), above).await?;
    // It can only fail if the actor has ended already, which its supervisor hears.
    _ = actor.send_message(admission.control(Message::Look));
    Ok(actor.get_cell())
}

impl Actor for Rebuilder {
    type Msg = Envelope<Message>;
    type State = State;
    type Arguments = (Arguments, Admission);

    async fn pre_start(
        &self,
        _me: ActorRef<Self::Msg>,
        (arguments, admission): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State { arguments, admission, note_due: Instant::now(), retire_due: Instant::now(), folded: None })
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (Message::Look, handling) = envelope.open();
        faults::actor(REBUILDER)?;
        let pause = state.look().await.map_err(Crash::dependency_down)?;
        handling.done();
        let admission = state.admission.clone();
        if pause.is_zero() {
            _ = me.send_message(admission.control(Message::Look));
        } else {
            me.send_after(pause, move || admission.control(Message::Look));
        }
        Ok(())
    }

    async fn post_stop(&self, _me: ActorRef<Self::Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        let Ground { db, owner, .. } = &state.arguments.ground;
        let forgotten = versions::forget_code(*owner, db).await;
        if let (Err(error), _) | (_, Err(error)) = (forgotten, rebuild::give_back(*owner, db).await) {
            tracing::debug!(%error, "what this process had of rebuilds was not given back; it runs out");
        }
        Ok(())
    }
}

impl State {
    /// One step of one rebuild; answers with the pause before the next look.
    async fn look(&mut self) -> sqlx::Result<Duration> {
        let Arguments { node, writes, rebuilds, ground } = &self.arguments;
        if Instant::now() >= self.note_due {
            let codes: Vec<(&str, u16)> = known(writes);
            versions::note_code(ground.owner, node, &codes, &ground.db).await?;
            self.note_due = Instant::now() + NOTE_EVERY;
        }
        if rebuilds.is_empty() {
            return Ok(PAUSE);
        }
        if Instant::now() >= self.retire_due {
            rebuild::retire(&ground.config, &ground.db).await?;
            self.retire_due = Instant::now() + RETIRE_EVERY;
        }
        let claimed = rebuild::claim(&known(rebuilds), ground.owner, LEASE.as_secs_f64(), &ground.db).await?;
        let Some(row) = claimed else { return Ok(PAUSE) };
        let Some(model) = rebuilds.iter().find(|model| model.name() == row.name) else { return Ok(PAUSE) };
        if let Some(why) = rebuild::live_lag(ground).await? {
            row.hold(Some(&why), &ground.db).await?;
            return Ok(WAIT);
        }
        // In short waits, so that the lease is kept, and another pace or a pause is heard.
        let is_same = |folded: &&Folded| folded.name == row.name && folded.version == row.version();
        let ahead = self.folded.as_ref().filter(is_same).map_or(Duration::ZERO, |folded| folded.ahead(row.rate));
        if !ahead.is_zero() {
            return Ok(ahead.min(WAIT));
        }
        self.folded = None;
        let done = match rebuild::step(model, &row, ground).await {
            Ok(Done::Pieces(pieces)) => fold(model, &row, pieces, ground).await.map(|folded| {
                self.folded = Some(folded);
                Done::Some
            }),
            done => done,
        };
        match done {
            Ok(Done::Some | Done::Pieces(_)) => {
                row.hold(None, &ground.db).await?;
                Ok(Duration::ZERO)
            }
            Ok(Done::Waits) => Ok(WAIT),
            Ok(Done::Ready) => Ok(PAUSE),
            // A full disk takes no rows and yet this word; where nothing is taken, the word is not either.
            Err(StepError::Down(error)) => {
                row.hold(Some(&format!("Postgres cannot do it now: {error}; it goes on by itself")), &ground.db)
                    .await?;
                Ok(WAIT)
            }
            Err(StepError::Failed(why)) => {
                telemetry::read_model::failed(model.name(), row.version(), &why);
                row.fail(&why, &ground.db).await?;
                Ok(PAUSE)
            }
        }
    }
}

/// Which versions of the code there are of these.
fn known(models: &[Model]) -> Vec<(&str, u16)> {
    models.iter().flat_map(|model| model.codes().map(|code| (model.name(), code))).collect()
}

/// Folds pieces side by side; answers with how much that was. Each worker keeps one connection, for a session
/// that is new to a log pays for every page of it that it touches first. A step that fails leaves nobody at work.
async fn fold(model: &Model, row: &Rebuild, pieces: Vec<Piece>, ground: &Ground) -> Result<Folded, StepError> {
    let hand = Arc::new(Hand {
        model: model.clone(),
        row: row.clone(),
        bounds: Bounds::of(model, row, ground).await?,
        pieces: Mutex::new(pieces.into_iter()),
        began: Instant::now(),
        folded: AtomicU64::new(0),
    });
    let mut running = JoinSet::new();
    for _ in 0..usize::try_from(row.workers).unwrap_or(1).max(1) {
        let (hand, db) = (hand.clone(), ground.db.clone());
        running.spawn(async move { hand.work(&mut *db.acquire().await?).await });
    }
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(worked) => worked?,
            Err(panic) if panic.is_panic() => return Err(StepError::Failed(said(panic.into_panic()))),
            Err(_) => {}
        }
    }
    Ok(hand.folded())
}

/// Pieces that workers take from, one after the other, until the hand is over.
struct Hand {
    model: Model,
    row: Rebuild,
    bounds: Bounds,
    pieces: Mutex<std::vec::IntoIter<Piece>>,
    began: Instant,
    folded: AtomicU64,
}

impl Hand {
    fn next(&self) -> Option<Piece> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        if self.began.elapsed() < HAND { pieces.next() } else { None }
    }

    async fn work(&self, db: &mut PgConnection) -> Result<(), StepError> {
        while let Some(piece) = self.next() {
            let events = rebuild::fold_piece(&self.model, &self.row, &piece, &self.bounds, db).await?;
            self.folded.fetch_add(events, Ordering::Relaxed);
            // After each piece, for one great rest after all of them would be preceded by as great a burst.
            tokio::time::sleep(self.folded().ahead(self.row.rate).min(HAND)).await;
        }
        Ok(())
    }

    fn folded(&self) -> Folded {
        let events = self.folded.load(Ordering::Relaxed);
        Folded { name: self.row.name.clone(), version: self.row.version(), began: self.began, events }
    }
}

fn said(panic: Box<dyn std::any::Any + Send>) -> String {
    let text =
        panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    format!("its fold panicked: {}", text.unwrap_or_else(|| "no message".to_owned()))
}
