//! One batch, one transaction. The order of its statements is the same everywhere, or two workers would deadlock:
//! models shared → fence → parked rows → ledger → guard → effects → parked and dead → append → folds → commit.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::admit::{Delivered, Entry, Foreign, Repeat};
use super::consumer::OnDeadLetter;
use super::counts::Counts;
use super::dead_letter::Verdict;
use super::hold::Hold;
use super::judge;
use super::{
    Blamed, Failure, Lane, Record, Subscription, aside, attempts, checkpoint, counts, dedup, effects, hold, parking,
};
use crate::contracts::Position;
use crate::faults;
use crate::telemetry;
use crate::telemetry::subscription::Spans;

/// What is to become of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is applied.
    Apply,
    /// It has failed for good: a dead letter.
    Letter(Verdict),
    /// It has failed for now: its stream is set aside, and its head tried again after this time.
    Park(Verdict, std::time::Duration),
}

/// One thing to do about a batch, and what holds once it is done.
#[derive(Debug)]
pub struct Item {
    /// What.
    pub entry: Entry,
    /// Where to read on afterwards.
    pub next_offset: i64,
    /// Last position applied afterwards.
    pub position: Position,
    /// What is to become of it.
    pub fate: Fate,
    /// There is a row about its attempts, which goes with its end.
    pub is_charged: bool,
}

impl Item {
    /// To be applied.
    #[must_use]
    pub fn new(entry: Entry, next_offset: i64, position: Position) -> Self {
        Self { entry, next_offset, position, fate: Fate::Apply, is_charged: false }
    }

    pub(super) fn event(&self) -> Option<&Delivered> {
        match &self.entry {
            Entry::Event(delivered) => Some(delivered),
            Entry::Foreign { .. } => None,
        }
    }
}

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Events that took effect.
    pub applied: u64,
    /// Events of types that are not read here.
    pub skipped: u64,
    /// Events the ledger knew.
    pub duplicates: u64,
    /// Events behind their stream.
    pub regressions: u64,
    /// Events set aside with their stream.
    pub parked: u64,
    /// Dead letters written.
    pub letters: u64,
    /// Events appended.
    pub appended: u64,
}

impl Passed {
    /// And what another did.
    pub(super) fn add(&mut self, more: Self) {
        self.applied += more.applied;
        self.skipped += more.skipped;
        self.duplicates += more.duplicates;
        self.regressions += more.regressions;
        self.parked += more.parked;
        self.letters += more.letters;
        self.appended += more.appended;
    }
}

/// Why a pass came to nothing; the transaction was rolled back.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// A newer owner has the partition: stop.
    #[error("a newer owner has taken the partition")]
    Fenced,
    /// An operator or the breaker holds the subscription: nothing is applied until it is resumed.
    #[error("nothing is applied: {0}")]
    Held(Box<Hold>),
    /// So many streams, or events behind one, are set aside that no more may be: the partition waits.
    #[error("{0}")]
    Full(String),
    /// A stream was released meanwhile: the same again, at once.
    #[error("a stream was released meanwhile")]
    Again,
    /// The batch failed; if it is known, this event is to blame.
    #[error("{failure}")]
    Failed {
        /// Why.
        #[source]
        failure: Failure,
        /// The culprit.
        culprit: Option<Uuid>,
    },
}

impl<E: Into<Failure>> From<E> for PassError {
    fn from(failure: E) -> Self {
        Self::Failed { failure: failure.into(), culprit: None }
    }
}

/// Names the culprit by its id.
fn blamed(blamed: Blamed, events: &[&Delivered]) -> PassError {
    let culprit = blamed.culprit.and_then(|place| events.get(place)).map(|delivered| delivered.event_id);
    PassError::Failed { failure: blamed.failure, culprit }
}

/// What a pass is about.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Which partition.
    pub lane: &'a Lane,
    /// The claim it is done under.
    pub epoch: i64,
    /// What is to be done, in order.
    pub items: &'a [Item],
    /// Known events that came again before these.
    pub repeats: &'a [Repeat],
    /// Transactions rolled back since the last of this partition that was not.
    pub retries: u64,
    /// The last try met a stream that had moved on.
    pub after_conflict: bool,
    /// Whether streams of this partition may be set aside. Only its worker sets any aside, so where none were when it began
    /// and it has set none aside since, none need be looked for.
    pub aside: &'a AtomicBool,
}

/// Works through a batch in one transaction, or not at all.
///
/// # Errors
/// [`PassError`]; nothing was done then.
pub async fn pass(subscription: &Subscription, batch: Batch<'_>) -> Result<Passed, PassError> {
    let Some(last) = batch.items.last() else {
        return Ok(Passed::default());
    };
    let (started, lane, items) = (Instant::now(), batch.lane, batch.items);
    let read = items.iter().filter_map(Item::event).filter(|delivered| subscription.reads(delivered));
    let spans = telemetry::subscription::begun(lane, subscription.verb(), read);
    let done = commit(subscription, &batch, last, &spans).await;
    match &done {
        Ok((passed, newest)) => {
            for (record, reason) in foreign(items) {
                telemetry::subscription::foreign(lane, record, reason);
            }
            telemetry::subscription::batch_applied(lane, passed, *newest, started.elapsed());
        }
        Err(error) => spans.failed(error),
    }
    done.map(|(passed, _)| passed)
}

/// The transaction; with what it did, when the newest event it applied was appended.
async fn commit(
    subscription: &Subscription,
    batch: &Batch<'_>,
    last: &Item,
    spans: &Spans,
) -> Result<(Passed, Option<DateTime<Utc>>), PassError> {
    let Batch { lane, items, .. } = *batch;
    let aside = ask_first(subscription, batch, spans).await?;
    let mut tx = subscription.db.begin().await?;
    faults::point("pass.begun");
    let written = effects::share_models(subscription, &mut tx).await?;
    advance(subscription, lane, batch.epoch, (last.next_offset, last.position), &mut tx).await?;
    faults::point("pass.fenced");
    let repeated = dedup::again(lane, batch.repeats, &mut tx).await?;
    let judged = judge::judge(subscription, batch, aside, &mut tx).await?;
    if !judged.newly.is_empty() {
        batch.aside.store(true, Ordering::Relaxed);
    }
    faults::point("pass.judged");
    let (fresh, mut passed) = (&judged.fresh, judged.passed);
    let decisions = effects::decide(subscription, fresh, (&written, batch.after_conflict), &mut tx).await;
    let decisions = decisions.map_err(|error| blamed(error, fresh))?;
    faults::point("pass.handled");
    let appends = effects::appends(subscription, fresh, decisions, spans).map_err(|error| blamed(error, fresh))?;
    if subscription.handler.is_some() {
        aside::set_aside(subscription, lane, &judged, &mut tx).await?;
        passed.letters = aside::bury(subscription, lane, items, &judged, &mut tx).await?;
        account(lane, batch, (&passed, repeated), &mut tx).await?;
    }
    faults::point("pass.buried");
    let events = effects::write(subscription, fresh, appends, &written, &mut tx).await?;
    faults::point("pass.folded");
    tx.commit().await?;
    faults::point("pass.committed");
    passed.appended = events.len() as u64;
    subscription.bell.ring_all(events);
    Ok((passed, fresh.last().map(|delivered| delivered.event.recorded_at)))
}

/// Moves the checkpoint past records that need nothing done.
///
/// # Errors
/// [`PassError`].
pub async fn skip(
    subscription: &Subscription,
    lane: &Lane,
    epoch: i64,
    (next_offset, position): (i64, Position),
    repeats: &[Repeat],
) -> Result<(), PassError> {
    let mut tx = subscription.db.begin().await?;
    advance(subscription, lane, epoch, (next_offset, position), &mut tx).await?;
    let counts = dedup::again(lane, repeats, &mut tx).await?;
    counts::add(lane, &counts, &mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Commands go out before the fence is asked, and cannot be taken back: a held consumer, or an older owner, sends none.
async fn may_ask(subscription: &Subscription, lane: &Lane, epoch: i64) -> Result<(), PassError> {
    if checkpoint::may_move(lane, epoch, &subscription.db).await? {
        return Ok(());
    }
    match hold::of(&lane.subscription, &subscription.db).await? {
        Some(hold) => Err(PassError::Held(Box::new(hold))),
        None => Err(PassError::Fenced),
    }
}

/// The fence: only the newest owner moves a place, and nobody while the subscription is held.
async fn advance(
    subscription: &Subscription,
    lane: &Lane,
    epoch: i64,
    (next_offset, position): (i64, Position),
    tx: &mut PgConnection,
) -> Result<(), PassError> {
    if checkpoint::advance(lane, epoch, next_offset, position, subscription.lease, tx).await? {
        return Ok(());
    }
    match hold::of(&lane.subscription, tx).await? {
        Some(hold) => Err(PassError::Held(Box::new(hold))),
        None => Err(PassError::Fenced),
    }
}

fn foreign(items: &[Item]) -> impl Iterator<Item = (&Record, &Foreign)> {
    items.iter().filter_map(|item| match &item.entry {
        Entry::Event(_) => None,
        Entry::Foreign { record, reason } => Some((&**record, reason)),
    })
}

/// Sends the commands of what will be applied, and answers which streams were set aside then: their events wait, and so
/// do the commands they lead to.
async fn ask_first(
    subscription: &Subscription,
    batch: &Batch<'_>,
    spans: &Spans,
) -> Result<Option<HashSet<String>>, PassError> {
    if subscription.commands.is_none() || subscription.handler.is_none() {
        return Ok(None);
    }
    may_ask(subscription, batch.lane, batch.epoch).await?;
    let items = batch.items;
    let events: Vec<&Delivered> = items.iter().filter_map(Item::event).collect();
    let streams: Vec<&str> = events.iter().map(|delivered| delivered.event.stream_id.as_str()).collect();
    let aside: HashSet<String> = match batch.aside.load(Ordering::Relaxed) {
        true => parking::peek(&subscription.name, &streams, &subscription.db).await?.into_iter().collect(),
        false => HashSet::new(),
    };
    let mut stopped: HashSet<&str> = aside.iter().map(String::as_str).collect();
    let mut applied = Vec::with_capacity(events.len());
    for item in items {
        let Some(delivered) = item.event() else { continue };
        let stream = delivered.event.stream_id.as_str();
        match item.fate {
            Fate::Apply if !stopped.contains(stream) => applied.push(delivered),
            Fate::Letter(_) if subscription.on_dead_letter == OnDeadLetter::Continue => (),
            _ => _ = stopped.insert(stream),
        }
    }
    effects::ask_first(subscription, &applied, spans).await.map_err(|error| blamed(error, &applied))?;
    Ok(Some(aside))
}

/// Counts what was done, forgets the attempts it took, and notes what came again.
async fn account(
    lane: &Lane,
    batch: &Batch<'_>,
    (passed, mut counts): (&Passed, Counts),
    tx: &mut PgConnection,
) -> Result<(), PassError> {
    let charged: Vec<Uuid> = batch
        .items
        .iter()
        .filter(|item| item.is_charged && !matches!(item.fate, Fate::Park(..)))
        .filter_map(Item::event)
        .map(|delivered| delivered.event_id)
        .collect();
    if !charged.is_empty() {
        attempts::clear(&lane.subscription, &charged, tx).await?;
    }
    counts.applied = passed.applied;
    counts.skipped = passed.skipped;
    counts.parked = passed.parked;
    counts.letters = passed.letters;
    counts.retries = batch.retries;
    counts.republished += passed.duplicates + passed.regressions;
    counts::add(lane, &counts, tx).await?;
    Ok(())
}
