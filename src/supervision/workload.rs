//! How much the mailboxes hold, per kind of actor: admission, depth, age and counts are one meter per mailbox.
//!
//! A message costs a few uncontended atomics: everything hot belongs to one mailbox, and the totals of a kind are summed
//! only when somebody asks. A lock is taken when a mailbox is made and when somebody asks, never for a message.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Serialize;

use crate::telemetry;

static KINDS: Mutex<Vec<&'static Kind>> = Mutex::new(Vec::new());
/// Sent-at times are nanoseconds since this moment, so that one atomic holds them.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Who shares permits with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Callers over HTTP.
    Callers,
    /// Consumers.
    Consumers,
}

/// How many messages of each share may be unfinished at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permits {
    /// Of callers.
    pub callers: usize,
    /// Of consumers.
    pub consumers: usize,
}

/// What one mailbox holds and has held.
#[derive(Debug)]
pub struct Meter {
    limits: Permits,
    callers: AtomicUsize,
    consumers: AtomicUsize,
    /// When the oldest unfinished message was sent; 0 while there is none. Between two messages it is the one just
    /// finished, so an age is never understated.
    oldest: AtomicU64,
    handled: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    busy_nanos: AtomicU64,
}

impl Meter {
    /// The meter of a new mailbox. It counts for its kind from now on, and what it counted stays when it is gone.
    #[must_use]
    pub fn register(kind: &'static str, limits: Permits) -> Arc<Self> {
        let meter = Arc::new(Self {
            limits,
            callers: AtomicUsize::new(0),
            consumers: AtomicUsize::new(0),
            oldest: AtomicU64::new(0),
            handled: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            busy_nanos: AtomicU64::new(0),
        });
        Kind::named(kind).add(meter.clone());
        meter
    }

    /// Takes a permit, unless all of that share are in use.
    #[must_use]
    pub fn admit(self: &Arc<Self>, share: Share) -> Option<Handling> {
        let (used, limit) = self.of(share);
        let taken = used.fetch_update(Ordering::SeqCst, Ordering::Relaxed, |used| (used < limit).then_some(used + 1));
        if taken.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let sent_at = nanos();
        if self.oldest.load(Ordering::SeqCst) == 0 {
            self.note_oldest(sent_at);
        }
        Some(Handling { meter: self.clone(), share: Some(share), sent_at, opened_at: 0, end: End::Failed })
    }

    /// Lets a message in without a permit: what an actor tells itself is never refused. It counts for handled, failed
    /// and busy, not for depth and age.
    pub fn admit_freely(self: &Arc<Self>) -> Handling {
        Handling { meter: self.clone(), share: None, sent_at: 0, opened_at: 0, end: End::Failed }
    }

    /// Messages accepted and not finished.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.callers.load(Ordering::SeqCst) + self.consumers.load(Ordering::SeqCst)
    }

    /// Age of the oldest message not finished; zero while there is none.
    #[must_use]
    pub fn oldest_age(&self) -> Duration {
        match self.oldest.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            sent_at => Duration::from_nanos(nanos().saturating_sub(sent_at)),
        }
    }

    fn of(&self, share: Share) -> (&AtomicUsize, usize) {
        match share {
            Share::Callers => (&self.callers, self.limits.callers),
            Share::Consumers => (&self.consumers, self.limits.consumers),
        }
    }

    fn note_oldest(&self, sent_at: u64) {
        // Somebody else's message is as good: both were sent just now.
        _ = self.oldest.compare_exchange(0, sent_at, Ordering::SeqCst, Ordering::Relaxed);
    }

    /// Gives a permit back. A sender first takes its permit and then looks at `oldest`; here `oldest` is cleared first
    /// and the depth looked at then, so at least one of the two sees the other.
    fn release(&self, share: Share, sent_at: u64) {
        self.of(share).0.fetch_sub(1, Ordering::SeqCst);
        if self.depth() == 0
            && self.oldest.compare_exchange(sent_at, 0, Ordering::SeqCst, Ordering::Relaxed).is_ok()
            && self.depth() > 0
        {
            self.note_oldest(nanos());
        }
    }

    fn totals(&self) -> Totals {
        Totals {
            handled: self.handled.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            busy_nanos: self.busy_nanos.load(Ordering::Relaxed),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum End {
    Done,
    Failed,
    /// It never reached the actor: given back to its sender.
    Returned,
}

/// One message on its way through: holds its permit until it is dropped. Without [`Handling::done`] it counts as failed,
/// which is what a panic, an error, or an actor that ended before its turn leave behind.
#[derive(Debug)]
#[must_use = "dropping it at once counts the message as failed"]
pub struct Handling {
    meter: Arc<Meter>,
    share: Option<Share>,
    sent_at: u64,
    opened_at: u64,
    end: End,
}

impl Handling {
    /// Its turn has come.
    pub fn open(&mut self) {
        self.opened_at = nanos();
        if self.share.is_some() {
            self.meter.oldest.store(self.sent_at, Ordering::SeqCst);
        }
    }

    /// It was handled, a refusal included.
    pub fn done(mut self) {
        self.end = End::Done;
    }

    /// It was not accepted after all, so it counts for nothing.
    pub fn give_back(mut self) {
        self.end = End::Returned;
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        let meter = &self.meter;
        if self.opened_at > 0 {
            meter.busy_nanos.fetch_add(nanos().saturating_sub(self.opened_at), Ordering::Relaxed);
        }
        match self.end {
            End::Done => _ = meter.handled.fetch_add(1, Ordering::Relaxed),
            End::Failed => _ = meter.failed.fetch_add(1, Ordering::Relaxed),
            End::Returned => {}
        }
        if let Some(share) = self.share {
            meter.release(share, self.sent_at);
        }
    }
}

/// What the mailboxes of one kind of actor hold at present, and what went through them since the process started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KindSnapshot {
    /// Of which kind: `writer`, `aggregate` …
    pub kind: &'static str,
    /// Live mailboxes.
    pub mailboxes: usize,
    /// Messages accepted and not finished.
    pub depth: usize,
    /// Those of callers: their permits in use.
    pub callers: usize,
    /// Those of consumers.
    pub consumers: usize,
    /// Age of the oldest of them, in milliseconds.
    pub oldest_ms: u64,
    /// Messages handled.
    pub handled: u64,
    /// Messages whose handling failed, or that were lost with their actor.
    pub failed: u64,
    /// Messages refused for want of a permit.
    pub refused: u64,
    /// Time spent handling, in milliseconds.
    pub busy_ms: u64,
}

/// Every kind of actor that has or had a mailbox, by name.
#[must_use]
pub fn kinds() -> Vec<KindSnapshot> {
    let mut kinds: Vec<_> = known_kinds().iter().map(|kind| kind.survey().snapshot(kind.name)).collect();
    kinds.sort_unstable_by_key(|kind| kind.kind);
    kinds
}

/// Sets the gauges of every kind; `/metrics` asks for it before each answer.
pub fn publish_gauges() {
    let kinds: Vec<&'static Kind> = known_kinds().clone();
    for kind in kinds {
        let survey = kind.survey();
        telemetry::supervision::workload(&telemetry::supervision::Workload {
            kind: kind.name,
            mailboxes: survey.mailboxes,
            depths: [("caller", survey.callers), ("consumer", survey.consumers)],
            oldest: survey.oldest,
            handled: survey.totals.handled,
            failed: survey.totals.failed,
            refused: survey.totals.refused,
            busy: Duration::from_nanos(survey.totals.busy_nanos),
        });
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    handled: u64,
    failed: u64,
    refused: u64,
    busy_nanos: u64,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.handled += other.handled;
        self.failed += other.failed;
        self.refused += other.refused;
        self.busy_nanos += other.busy_nanos;
    }
}

#[derive(Debug, Default)]
struct Survey {
    mailboxes: usize,
    callers: usize,
    consumers: usize,
    oldest: Duration,
    totals: Totals,
}

impl Survey {
    fn add(&mut self, meter: &Meter) {
        self.mailboxes += 1;
        self.callers += meter.callers.load(Ordering::Relaxed);
        self.consumers += meter.consumers.load(Ordering::Relaxed);
        self.oldest = self.oldest.max(meter.oldest_age());
        self.totals.add(meter.totals());
    }

    fn snapshot(&self, kind: &'static str) -> KindSnapshot {
        KindSnapshot {
            kind,
            mailboxes: self.mailboxes,
            depth: self.callers + self.consumers,
            callers: self.callers,
            consumers: self.consumers,
            oldest_ms: u64::try_from(self.oldest.as_millis()).unwrap_or(u64::MAX),
            handled: self.totals.handled,
            failed: self.totals.failed,
            refused: self.totals.refused,
            busy_ms: self.totals.busy_nanos / 1_000_000,
        }
    }
}

/// One kind of actor. There are a few in the code and never more, so they are never freed.
#[derive(Debug)]
struct Kind {
    name: &'static str,
    mailboxes: Mutex<Mailboxes>,
}

#[derive(Debug, Default)]
struct Mailboxes {
    meters: Vec<Arc<Meter>>,
    /// What those counted that are gone.
    gone: Totals,
    /// Length at which the gone are looked for: twice what lived last time, so that it costs little per mailbox.
    sweep_at: usize,
}

impl Mailboxes {
    /// A meter nobody else holds can change no more: its counts are kept, it goes.
    fn sweep(&mut self) {
        let gone = &mut self.gone;
        self.meters.retain_mut(|meter| match Arc::get_mut(meter) {
            Some(meter) => {
                gone.add(meter.totals());
                false
            }
            None => true,
        });
        self.sweep_at = (self.meters.len() * 2).max(64);
        self.meters.shrink_to(self.sweep_at);
    }
}

impl Kind {
    fn named(name: &'static str) -> &'static Self {
        let mut kinds = known_kinds();
        if let Some(kind) = kinds.iter().find(|kind| kind.name == name) {
            return kind;
        }
        let kind = Box::leak(Box::new(Self { name, mailboxes: Mutex::default() }));
        kinds.push(kind);
        kind
    }

    fn add(&self, meter: Arc<Meter>) {
        let mut mailboxes = self.mailboxes();
        if mailboxes.meters.len() >= mailboxes.sweep_at {
            mailboxes.sweep();
        }
        mailboxes.meters.push(meter);
    }

    fn survey(&self) -> Survey {
        let mut mailboxes = self.mailboxes();
        mailboxes.sweep();
        let mut survey = Survey { totals: mailboxes.gone, ..Survey::default() };
        mailboxes.meters.iter().for_each(|meter| survey.add(meter));
        survey
    }

    fn mailboxes(&self) -> MutexGuard<'_, Mailboxes> {
        self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn known_kinds() -> MutexGuard<'static, Vec<&'static Kind>> {
    KINDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Never 0, which stands for "none".
fn nanos() -> u64 {
    u64::try_from(BEGINNING.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests;
