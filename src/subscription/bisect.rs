//! Works a batch off: as one transaction if it goes, else halved until the culprit is alone, while good neighbours commit.
//!
//! A half whose other half has passed holds the culprit and is halved unseen; what lies behind a half that has failed is
//! run with what comes after it. So one bad event of 500 takes about 12 transactions more, and none to look for if the
//! handler names it.

mod piece;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use uuid::Uuid;

use self::piece::{Piece, alone, give_up, place_of, take_back};
use super::admit::{Admitted, Delivered, Repeat};
use super::attempts::{self, Attempt};
use super::dead_letter;
use super::pass::{self, Batch, Fate, Item, PassError, Passed};
use super::retry::{Verdict, verdict};
use super::{Failure, Lane, Subscription};
use crate::contracts::Position;
use crate::{clock, telemetry};

/// What to do after a step.
#[derive(Debug)]
pub enum Progress {
    /// There is more to do, now.
    Continue,
    /// There is more to do, after a pause; `waiting` says why, for operators.
    Pause {
        /// How long.
        after: Duration,
        /// What is waited for: charged to nobody if a dependency.
        waiting: String,
    },
    /// All of it is durable; reading goes on here.
    Done {
        /// Where to read on.
        next_offset: i64,
        /// Last position applied.
        position: Position,
    },
    /// A newer owner has the partition: stop.
    Fenced,
}

/// How long a subscription that is held, or a partition that may park no more, waits before it looks again.
const HELD_PAUSE: Duration = Duration::from_millis(500);

/// Who works, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Worker<'a> {
    /// For whom.
    pub subscription: &'a Subscription,
    /// Which partition.
    pub lane: &'a Lane,
    /// The claim it is done under.
    pub epoch: i64,
    /// This process.
    pub owner: Uuid,
    /// Whether streams of the partition may be set aside: see [`Batch::aside`].
    pub aside: &'a AtomicBool,
}

/// A batch being worked off.
#[derive(Debug)]
pub struct Work {
    /// The next piece is the last element.
    pieces: Vec<Piece>,
    limit: usize,
    next_offset: i64,
    position: Position,
    /// The end is ahead of every piece, since the batch ends with records that need nothing done.
    skips: bool,
    repeats: Vec<Repeat>,
    /// Transactions rolled back since the last that was not.
    retries: u64,
    passed: Passed,
}

impl Work {
    /// The work a batch makes.
    #[must_use]
    pub fn on(admitted: Admitted, limit: usize) -> Self {
        Self::cut(admitted, limit.max(1), |_| false)
    }

    /// The work of a batch over which processes have ended: those of its events that are suspect run alone, each written
    /// down before it does.
    #[must_use]
    pub fn one_by_one(admitted: Admitted, limit: usize, is_suspect: impl Fn(&Delivered) -> bool) -> Self {
        Self::cut(admitted, limit.max(1), is_suspect)
    }

    fn cut(admitted: Admitted, limit: usize, is_suspect: impl Fn(&Delivered) -> bool) -> Self {
        let ends_at = admitted.entries.last().map(|(_, next_offset, _)| *next_offset);
        let mut pieces: Vec<Piece> = Vec::new();
        for (entry, next_offset, position) in admitted.entries {
            let item = Item::new(entry, next_offset, position);
            if item.event().is_some_and(&is_suspect) {
                pieces.push(Piece::alone(item));
                continue;
            }
            match pieces.last_mut().filter(|piece| !piece.is_alone && piece.items.len() < limit) {
                Some(piece) => piece.items.push(item),
                None => pieces.push(Piece::of(vec![item])),
            }
        }
        pieces.reverse();
        Self {
            pieces,
            limit,
            next_offset: admitted.next_offset,
            position: admitted.position,
            skips: ends_at != Some(admitted.next_offset),
            repeats: admitted.repeats,
            retries: 0,
            passed: Passed::default(),
        }
    }

    /// What has been done so far.
    #[must_use]
    pub fn passed(&self) -> Passed {
        self.passed
    }

    /// One transaction, and what it takes to know that it was tried.
    pub async fn step(&mut self, worker: Worker<'_>) -> Progress {
        let Some(mut piece) = self.pieces.pop() else {
            return self.end(worker).await;
        };
        if piece.is_guilty && piece.items.len() > 1 {
            self.halve(piece, true);
            return Progress::Continue;
        }
        piece.is_alone |= piece.is_guilty;
        let _alone = match alone(&piece, worker).await {
            Ok(alone) => alone,
            Err(error) => {
                let (after, waiting) = (worker.subscription.config.backoff_max, Failure::from(error).chain());
                return self.wait(piece, after, waiting);
            }
        };
        if let Err(progress) = self.begin(&mut piece, worker).await {
            self.pieces.push(piece);
            return progress;
        }
        piece.tries += 1;
        let batch = Batch {
            lane: worker.lane,
            epoch: worker.epoch,
            items: &piece.items,
            repeats: &self.repeats,
            retries: self.retries,
            after_conflict: piece.after_conflict,
            aside: worker.aside,
        };
        match pass::pass(worker.subscription, batch).await {
            Ok(passed) => self.succeeded(passed, worker.lane),
            Err(PassError::Failed { failure, culprit }) => {
                self.retries += 1;
                self.failed(piece, &failure, culprit, worker).await
            }
            Err(untried) => {
                // It has not run, and does not wait as one that runs.
                if let Err(error) = take_back(&piece, worker).await {
                    tracing::debug!(%error, "an attempt that was none is still written down");
                }
                self.untried(piece, untried, worker.lane)
            }
        }
    }

    fn untried(&mut self, piece: Piece, why: PassError, lane: &Lane) -> Progress {
        match why {
            PassError::Fenced => Progress::Fenced,
            PassError::Again | PassError::Failed { .. } => {
                self.pieces.push(piece);
                Progress::Continue
            }
            PassError::Held(hold) => self.wait(piece, HELD_PAUSE, hold.to_string()),
            PassError::Full(why) => {
                telemetry::alarm::stand(telemetry::alarm::PARKING_FULL, &lane.to_string(), &why);
                self.wait(piece, HELD_PAUSE, why)
            }
        }
    }

    fn wait(&mut self, piece: Piece, after: Duration, waiting: String) -> Progress {
        self.pieces.push(piece);
        Progress::Pause { after, waiting }
    }

    /// An event that runs alone because something failed is written down before; one over which too many processes have
    /// ended is given up instead.
    async fn begin(&self, piece: &mut Piece, worker: Worker<'_>) -> Result<(), Progress> {
        let Worker { subscription, lane, owner, .. } = worker;
        let runs_alone = piece.runs_alone(subscription);
        let Some(item) = piece.items.first_mut().filter(|_| runs_alone) else { return Ok(()) };
        let Some(delivered) = item.event() else { return Ok(()) };
        let attempt = attempts::begin(lane, delivered, owner, &subscription.db).await.map_err(|error| {
            Progress::Pause { after: subscription.config.backoff_max, waiting: Failure::from(error).chain() }
        })?;
        item.is_charged = true;
        if attempt.deaths >= attempts::DEATHS {
            let failure = Failure::Deadly(u32::try_from(attempt.deaths).unwrap_or(0));
            give_up(item, &failure, lane, &attempt);
        }
        Ok(())
    }

    fn succeeded(&mut self, passed: Passed, lane: &Lane) -> Progress {
        telemetry::alarm::clear(telemetry::alarm::VIEW_STOPPED, &lane.to_string());
        telemetry::alarm::clear(telemetry::alarm::PARKING_FULL, &lane.to_string());
        self.repeats.clear();
        self.retries = 0;
        self.passed.add(passed);
        // It passed, so the other half holds the culprit.
        if let Some(next) = self.pieces.last_mut().filter(|next| next.may_be_guilty) {
            next.may_be_guilty = false;
            next.is_guilty = true;
        }
        if self.pieces.is_empty() && !self.skips { self.done() } else { Progress::Continue }
    }

    async fn end(&mut self, Worker { subscription, lane, epoch, .. }: Worker<'_>) -> Progress {
        match pass::skip(subscription, lane, epoch, (self.next_offset, self.position), &self.repeats).await {
            Ok(()) => self.done(),
            Err(PassError::Fenced) => Progress::Fenced,
            Err(PassError::Held(hold)) => Progress::Pause { after: HELD_PAUSE, waiting: hold.to_string() },
            Err(error) => Progress::Pause { after: subscription.config.backoff_max, waiting: error.to_string() },
        }
    }

    fn done(&self) -> Progress {
        Progress::Done { next_offset: self.next_offset, position: self.position }
    }

    async fn failed(
        &mut self,
        mut piece: Piece,
        failure: &Failure,
        culprit: Option<Uuid>,
        worker: Worker<'_>,
    ) -> Progress {
        let Worker { subscription, lane, .. } = worker;
        let config = &subscription.config;
        // What follows a failed half need not hold another culprit.
        self.acquit();
        let attempt = match self.charge(&piece, failure, worker).await {
            Ok(attempt) => attempt,
            Err(waiting) => return self.wait(piece, config.backoff_max, waiting),
        };
        if attempt.is_some() {
            piece.items.iter_mut().for_each(|item| item.is_charged = true);
        }
        let tries = attempt.as_ref().map_or(piece.tries, |attempt| u32::try_from(attempt.tries).unwrap_or(1));
        let verdict = verdict(failure, piece.items.len(), tries, rand::random::<f64>(), config);
        let alone = (piece.items.len() == 1).then(|| piece.items[0].event()).flatten();
        telemetry::subscription::batch_failed(lane, piece.items.len(), alone, tries, failure);
        piece.after_conflict |= matches!(failure, Failure::Conflict(_));
        piece.is_alone |= piece.items.len() == 1;
        match (verdict, attempt) {
            (Verdict::Wait { after } | Verdict::Again { after }, _) => self.wait(piece, after, failure.chain()),
            (Verdict::Halve { after }, _) => {
                match culprit.and_then(|id| place_of(id, &piece)) {
                    Some(place) => self.single_out(piece, place),
                    // Nobody is to blame for what was in the way.
                    None => self.halve(piece, !matches!(failure, Failure::Contended(_))),
                }
                if after.is_zero() { Progress::Continue } else { Progress::Pause { after, waiting: failure.chain() } }
            }
            // A view never gives an event up: it stops there, serves what it has, and says so.
            (Verdict::DeadLetter | Verdict::Park { .. }, None) => {
                telemetry::alarm::raise(
                    telemetry::alarm::VIEW_STOPPED,
                    &lane.to_string(),
                    &format!("an event cannot be folded: {}", failure.chain()),
                );
                self.wait(piece, config.dependency_backoff_max, failure.chain())
            }
            (Verdict::DeadLetter, Some(attempt)) => {
                piece.items.iter_mut().for_each(|item| give_up(item, failure, lane, &attempt));
                self.pieces.push(piece);
                Progress::Continue
            }
            (Verdict::Park { after }, Some(attempt)) => {
                for item in &mut piece.items {
                    if let Some(delivered) = item.event() {
                        telemetry::subscription::parked(lane, delivered, failure, after);
                    }
                    item.fate = Fate::Park(dead_letter::Verdict::on(failure, lane, &attempt), after);
                }
                self.pieces.push(piece);
                Progress::Continue
            }
        }
    }

    /// Writes down that an event has failed alone; nothing for several, for a view, and where nobody is to blame. The error
    /// is what is waited for.
    async fn charge(
        &self,
        piece: &Piece,
        failure: &Failure,
        Worker { subscription, lane, owner, .. }: Worker<'_>,
    ) -> Result<Option<Attempt>, String> {
        let [item] = piece.items.as_slice() else { return Ok(None) };
        if subscription.handler.is_none() {
            return Ok(None);
        }
        let (db, waiting) = (&subscription.db, |error: sqlx::Error| Failure::from(error).chain());
        let Some(delivered) = item.event() else {
            let now = clock::now();
            let tries = i32::try_from(piece.tries).unwrap_or(i32::MAX);
            let (attempts, deaths) = (tries, 0);
            return Ok(Some(Attempt { tries, attempts, deaths, first_failed_at: now, last_failed_at: now }));
        };
        if matches!(failure, Failure::DependencyDown(..)) {
            if item.is_charged {
                attempts::interrupted(lane, delivered, owner, db).await.map_err(waiting)?;
            }
            return Ok(None);
        }
        attempts::failed(lane, delivered, failure, db).await.map(Some).map_err(waiting)
    }

    /// Two halves in its place; if there is a culprit and it is not in the first, it is in the second.
    fn halve(&mut self, mut piece: Piece, has_culprit: bool) {
        let rest = piece.items.split_off(piece.items.len() / 2);
        let half = |items| Piece { after_conflict: piece.after_conflict, ..Piece::of(items) };
        self.pieces.push(Piece { may_be_guilty: has_culprit, ..half(rest) });
        self.pieces.push(half(piece.items));
    }

    /// What comes before the culprit, the culprit, and what comes after it.
    fn single_out(&mut self, mut piece: Piece, place: usize) {
        let after = piece.items.split_off(place + 1);
        if !after.is_empty() {
            self.pieces.push(Piece { after_conflict: piece.after_conflict, ..Piece::of(after) });
            self.merge();
        }
        if let Some(culprit) = piece.items.pop() {
            self.pieces.push(Piece { after_conflict: piece.after_conflict, ..Piece::alone(culprit) });
        }
        if !piece.items.is_empty() {
            self.pieces.push(Piece { after_conflict: piece.after_conflict, ..Piece::of(piece.items) });
        }
    }

    fn acquit(&mut self) {
        if let Some(next) = self.pieces.last_mut().filter(|next| next.may_be_guilty) {
            next.may_be_guilty = false;
            self.merge();
        }
    }

    /// Makes one piece of the next two if nothing is known of either.
    fn merge(&mut self) {
        let [.., below, next] = self.pieces.as_mut_slice() else { return };
        if below.is_plain() && next.is_plain() && below.items.len() + next.items.len() <= self.limit {
            let items: Vec<Item> = next.items.drain(..).chain(below.items.drain(..)).collect();
            self.pieces.truncate(self.pieces.len() - 2);
            self.pieces.push(Piece::of(items));
        }
    }
}
