//! What of a batch is new and next, what is known, and what waits behind a failure: ledger and guard, inside the batch's
//! transaction.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::admit::Delivered;
use super::consumer::OnDeadLetter;
use super::dead_letter::Verdict;
use super::guard::{self, Order, StreamGap};
use super::parking::{self, Parked};
use super::pass::{Batch, Fate, Item, PassError, Passed};
use super::{Failure, Subscription, dedup};
use crate::faults::{self, Defect};

/// A stream whose event has failed.
#[derive(Debug)]
pub(super) struct Newly<'a> {
    pub stream_id: &'a str,
    pub verdict: &'a Verdict,
    /// The letter it waits behind, or none if its head is tried again.
    pub letter: Option<Uuid>,
    pub after: Duration,
}

/// A batch, judged.
#[derive(Debug, Default)]
pub(super) struct Judged<'a> {
    /// New and next: to be applied.
    pub fresh: Vec<&'a Delivered>,
    /// Streams to be set aside.
    pub newly: Vec<Newly<'a>>,
    /// Events whose letter is to be written.
    pub buried: HashSet<Uuid>,
    /// Events to be queued behind their stream's failure.
    pub behind: Vec<&'a Delivered>,
    /// How deep the queues of those streams will be.
    pub depths: HashMap<&'a str, u32>,
    pub passed: Passed,
}

/// Ledger and guard. A view needs neither: its source is the log itself, and the fence its only memory. `aside` is what
/// was set aside when the batch's commands were sent, if any were.
///
/// # Errors
/// [`PassError`].
pub(super) async fn judge<'a>(
    subscription: &Subscription,
    batch: &Batch<'a>,
    aside: Option<HashSet<String>>,
    tx: &mut PgConnection,
) -> Result<Judged<'a>, PassError> {
    let (lane, items) = (batch.lane, batch.items);
    let events: Vec<(&Item, &Delivered)> = items.iter().filter_map(|item| Some((item, item.event()?))).collect();
    if subscription.handler.is_none() {
        let fresh: Vec<&Delivered> = events.iter().map(|(_, delivered)| *delivered).collect();
        let passed = Passed { applied: fresh.len() as u64, ..Passed::default() };
        return Ok(Judged { fresh, passed, ..Judged::default() });
    }
    if events.is_empty() {
        return Ok(Judged::default());
    }
    let streams: Vec<&str> = events.iter().map(|(_, delivered)| delivered.event.stream_id.as_str()).collect();
    let parked = match batch.aside.load(Ordering::Relaxed) {
        true => parking::lock(&subscription.name, &streams, tx).await?,
        false => HashMap::new(),
    };
    // Released since: its events are to be applied, and their commands have not been sent.
    if aside.is_some_and(|aside| aside.iter().any(|stream| !parked.contains_key(stream))) {
        return Err(PassError::Again);
    }
    let entries = entries(subscription, &events, &parked);
    let new = dedup::enter(lane, &entries, tx).await?;
    let watched = guard::watches(&lane.source);
    let opened = match beginnings(&events, &new).filter(|_| watched && parked.is_empty()) {
        Some(beginnings) => guard::open(&subscription.name, &beginnings, tx).await?,
        None => HashSet::new(),
    };
    let unsure: Vec<&str> = streams.iter().copied().filter(|stream| !opened.contains(*stream)).collect();
    let seen = match watched && !unsure.is_empty() {
        true => guard::seen(&subscription.name, &unsure, tx).await?,
        false => HashMap::new(),
    };
    let mut judging = Judging {
        watched,
        subscription,
        parked: &parked,
        new: &new,
        seen: &seen,
        versions: HashMap::new(),
        judged: Judged::default(),
    };
    for (item, delivered) in &events {
        judging.one(item, delivered)?;
    }
    let Judging { mut versions, mut judged, .. } = judging;
    judged.depths = depths(&judged, &parked);
    if watched {
        versions.retain(|stream, _| !opened.contains(*stream));
        guard::note(&subscription.name, &versions, tx).await?;
    }
    Ok(judged)
}

/// The last version of each stream, if every stream of a batch begins in it and all of it is to be applied: most batches
/// of a consumer that catches up. Then the guards can be written without a look at them before, and what conflicts is looked
/// at after all.
fn beginnings<'a>(events: &[(&Item, &'a Delivered)], new: &HashSet<Uuid>) -> Option<HashMap<&'a str, i32>> {
    let mut versions: HashMap<&str, i32> = HashMap::with_capacity(events.len());
    for (item, delivered) in events {
        let last = versions.entry(delivered.event.stream_id.as_str()).or_default();
        let is_next = guard::judge(*last, delivered.event.version) == Order::Next;
        if item.fate != Fate::Apply || !is_next || !new.contains(&delivered.event_id) {
            return None;
        }
        *last = delivered.event.version;
    }
    Some(versions)
}

/// What the ledger will say of each event: behind a failure of its stream it is parked.
fn entries(
    subscription: &Subscription,
    events: &[(&Item, &Delivered)],
    parked: &HashMap<String, Parked>,
) -> Vec<dedup::Entry> {
    let mut stopped: HashSet<&str> = HashSet::new();
    let entry = |(item, delivered): &(&Item, &Delivered)| (item.next_offset, delivered.event_id);
    let mut entries = Vec::with_capacity(events.len());
    // A set of its own: what stops here is borrowed from the events.
    for pair @ (item, delivered) in events {
        let stream = delivered.event.stream_id.as_str();
        let waits = parked.contains_key(stream) || stopped.contains(stream);
        let state = match &item.fate {
            _ if waits => dedup::State::Parked,
            Fate::Apply => dedup::State::Applied,
            Fate::Park(..) => dedup::State::Parked,
            Fate::Letter(_) => dedup::State::Dead,
        };
        if stops(subscription, &item.fate) {
            stopped.insert(stream);
        }
        let (next_offset, event_id) = entry(pair);
        entries.push(dedup::Entry { event_id, state, source_offset: next_offset - 1 });
    }
    entries
}

/// Whether what becomes of an event makes the later ones of its stream wait.
fn stops(subscription: &Subscription, fate: &Fate) -> bool {
    match fate {
        Fate::Apply => false,
        Fate::Park(..) => true,
        Fate::Letter(_) => subscription.on_dead_letter == OnDeadLetter::Block,
    }
}

fn depths<'a>(judged: &Judged<'a>, parked: &HashMap<String, Parked>) -> HashMap<&'a str, u32> {
    let mut depths: HashMap<&str, u32> = HashMap::new();
    for delivered in &judged.behind {
        let stream = delivered.event.stream_id.as_str();
        let before = parked.get(stream).map_or(0, |parked| u32::try_from(parked.depth).unwrap_or(0));
        *depths.entry(stream).or_insert(before) += 1;
    }
    depths
}

struct Judging<'a, 'b> {
    watched: bool,
    subscription: &'b Subscription,
    parked: &'b HashMap<String, Parked>,
    new: &'b HashSet<Uuid>,
    seen: &'b HashMap<String, i32>,
    versions: HashMap<&'a str, i32>,
    judged: Judged<'a>,
}

impl<'a> Judging<'a, '_> {
    fn one(&mut self, item: &'a Item, delivered: &'a Delivered) -> Result<(), PassError> {
        let event = &delivered.event;
        let stream = event.stream_id.as_str();
        let last = self.versions.get(stream).or_else(|| self.seen.get(stream)).copied().unwrap_or(0);
        let order = if self.watched { guard::judge(last, event.version) } else { Order::Next };
        let is_new = self.new.contains(&delivered.event_id);
        match order {
            Order::Regression if faults::planted(Defect::DedupOff) => self.judged.fresh.push(delivered),
            _ if !is_new => self.judged.passed.duplicates += 1,
            Order::Regression => self.judged.passed.regressions += 1,
            _ if self.waits(stream) => {
                self.judged.behind.push(delivered);
                self.judged.passed.parked += 1;
            }
            Order::Gap { expected } if item.fate == Fate::Apply => {
                let gap = StreamGap { stream_id: event.stream_id.clone(), version: event.version, expected };
                return Err(PassError::Failed { failure: Failure::Gap(gap), culprit: Some(delivered.event_id) });
            }
            Order::Next | Order::Gap { .. } => self.next(item, delivered),
        }
        Ok(())
    }

    fn waits(&self, stream: &str) -> bool {
        self.parked.contains_key(stream) || self.judged.newly.iter().any(|newly| newly.stream_id == stream)
    }

    fn next(&mut self, item: &'a Item, delivered: &'a Delivered) {
        let stream_id = delivered.event.stream_id.as_str();
        let judged = &mut self.judged;
        match &item.fate {
            Fate::Apply => {
                self.versions.insert(stream_id, delivered.event.version);
                if self.subscription.reads(delivered) {
                    judged.passed.applied += 1;
                } else {
                    judged.passed.skipped += 1;
                }
                judged.fresh.push(delivered);
            }
            Fate::Park(verdict, after) => {
                judged.newly.push(Newly { stream_id, verdict, letter: None, after: *after });
                judged.behind.push(delivered);
                judged.passed.parked += 1;
            }
            // The guard stays before it: whoever replays or discards the letter moves it on.
            Fate::Letter(verdict) if stops(self.subscription, &item.fate) => {
                let letter = Some(verdict.letter_id);
                judged.buried.insert(delivered.event_id);
                judged.newly.push(Newly { stream_id, verdict, letter, after: Duration::ZERO });
            }
            Fate::Letter(_) => {
                judged.buried.insert(delivered.event_id);
                self.versions.insert(stream_id, delivered.event.version);
            }
        }
    }
}
