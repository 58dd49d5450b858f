//! Works a batch off: as one transaction if it goes, else halved until the culprit is alone, while good neighbours commit.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::admit::{Admitted, Entry};
use super::dead_letter;
use super::pass::{self, Item, PassError, Passed};
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

/// Part of a batch that runs as one transaction.
#[derive(Debug)]
struct Piece {
    items: Vec<Item>,
    tries: u32,
    first_failed_at: Option<DateTime<Utc>>,
    after_conflict: bool,
}

/// A batch being worked off.
#[derive(Debug)]
pub struct Work {
    /// The next piece is the last element.
    pieces: Vec<Piece>,
    next_offset: i64,
    position: Position,
    /// The end is ahead of every piece, since the batch ends with records that need nothing done.
    skips: bool,
    passed: Passed,
}

impl Work {
    /// The work a batch makes.
    #[must_use]
    pub fn on(admitted: Admitted, limit: usize) -> Self {
        let ends_at = admitted.entries.last().map(|(_, next_offset, _)| *next_offset);
        let mut items = admitted.entries.into_iter().map(|(entry, next_offset, position)| Item {
            entry,
            next_offset,
            position,
            condemned: None,
        });
        let mut pieces = Vec::new();
        loop {
            let items: Vec<Item> = items.by_ref().take(limit.max(1)).collect();
            if items.is_empty() {
                break;
            }
            pieces.push(Piece { items, tries: 0, first_failed_at: None, after_conflict: false });
        }
        pieces.reverse();
        Self {
            pieces,
            next_offset: admitted.next_offset,
            position: admitted.position,
            skips: ends_at != Some(admitted.next_offset),
            passed: Passed::default(),
        }
    }

    /// What has been done so far.
    #[must_use]
    pub fn passed(&self) -> Passed {
        self.passed
    }

    /// One transaction.
    pub async fn step(&mut self, subscription: &Subscription, lane: &Lane, epoch: i64) -> Progress {
        let Some(mut piece) = self.pieces.pop() else {
            return self.end(subscription, lane, epoch).await;
        };
        piece.tries += 1;
        match pass::pass(subscription, lane, epoch, &piece.items, piece.after_conflict).await {
            Ok(passed) => {
                telemetry::alarm::clear(telemetry::alarm::VIEW_STOPPED, &lane.to_string());
                self.passed.letters += passed.letters;
                self.passed.applied += passed.applied;
                if self.pieces.is_empty() && !self.skips { self.done() } else { Progress::Continue }
            }
            Err(PassError::Fenced) => Progress::Fenced,
            Err(PassError::Failed(failure)) => self.failed(piece, &failure, subscription, lane),
        }
    }

    async fn end(&mut self, subscription: &Subscription, lane: &Lane, epoch: i64) -> Progress {
        match pass::skip(subscription, lane, epoch, self.next_offset, self.position).await {
            Ok(()) => self.done(),
            Err(PassError::Fenced) => Progress::Fenced,
            Err(PassError::Failed(failure)) => {
                Progress::Pause { after: subscription.config.backoff_max, waiting: failure.chain() }
            }
        }
    }

    fn done(&self) -> Progress {
        Progress::Done { next_offset: self.next_offset, position: self.position }
    }

    fn failed(&mut self, mut piece: Piece, failure: &Failure, subscription: &Subscription, lane: &Lane) -> Progress {
        let jitter = rand::random::<f64>();
        let verdict = verdict(failure, piece.items.len(), piece.tries, jitter, &subscription.config);
        let alone = match piece.items.as_slice() {
            [Item { entry: Entry::Event(delivered), .. }] => Some(&**delivered),
            _ => None,
        };
        telemetry::subscription::batch_failed(lane, piece.items.len(), alone, piece.tries, failure);
        piece.after_conflict |= matches!(failure, Failure::Conflict(_));
        let now = clock::now();
        let first_failed_at = *piece.first_failed_at.get_or_insert(now);
        match verdict {
            Verdict::Wait { after } => self.again(piece, after, failure),
            // A view never gives an event up: it stops there, serves what it has, and says so.
            Verdict::DeadLetter if subscription.handler.is_none() => {
                telemetry::alarm::raise(
                    telemetry::alarm::VIEW_STOPPED,
                    &lane.to_string(),
                    &format!("an event cannot be folded: {}", failure.chain()),
                );
                self.again(piece, subscription.config.dependency_backoff_max, failure)
            }
            Verdict::Again { after } => self.again(piece, after, failure),
            Verdict::Halve { after } => {
                let rest = piece.items.split_off(piece.items.len() / 2);
                let half =
                    |items| Piece { items, tries: 0, first_failed_at: None, after_conflict: piece.after_conflict };
                self.pieces.push(half(rest));
                self.pieces.push(half(std::mem::take(&mut piece.items)));
                if after.is_zero() { Progress::Continue } else { Progress::Pause { after, waiting: failure.chain() } }
            }
            Verdict::DeadLetter => {
                let letter = dead_letter::Verdict::on(failure, piece.tries, first_failed_at, now);
                for item in &mut piece.items {
                    if let Entry::Event(delivered) = &item.entry {
                        telemetry::subscription::dead_lettered(lane, delivered, failure);
                        item.condemned = Some(letter.clone());
                    }
                }
                piece.tries = 0;
                self.pieces.push(piece);
                Progress::Continue
            }
        }
    }

    fn again(&mut self, piece: Piece, after: Duration, failure: &Failure) -> Progress {
        self.pieces.push(piece);
        Progress::Pause { after, waiting: failure.chain() }
    }
}
