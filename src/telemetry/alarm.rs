//! Alarms: an error log with a code, a metric, and a reason in `/readyz` until it is over.
//!
//! What is here is this process' memory; `supervision::alarm` keeps them for operators, by and by.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::names;
use crate::clock;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)+) => {
        $($(#[$doc])* pub const $name: &str = $value;)+

        /// Every code. Each has its page, `docs/runbooks/<code>.md`.
        pub const ALL: &[&str] = &[$($value),+];
    };
}

codes! {
    /// A log partition has a hole: whoever follows it has stopped.
    LOG_HOLE = "log_hole";
    /// A topic lacks events that the log lacks, too.
    TOPIC_HOLE = "topic_hole";
    /// A topic lacked events; they came from the log.
    TOPIC_FILLED = "topic_filled";
    /// A topic has lost events that were published; they are published again from the log.
    TOPIC_LOST = "topic_lost";
    /// A topic holds events the log does not have: nothing more is published.
    KAFKA_AHEAD = "kafka_ahead";
    /// A stream has a gap before an event.
    STREAM_GAP = "stream_gap";
    /// The log is damaged: nothing is appended any more.
    LOG_CORRUPT = "log_corrupt";
    /// A topic has another number of partitions than the log: nothing is published to it.
    TOPIC_PARTITIONS = "topic_partitions";
    /// A read model cannot fold an event and has stopped before it.
    VIEW_STOPPED = "view_stopped";
    /// So many streams, or events behind one, are set aside that a partition waits.
    PARKING_FULL = "parking_full";
    /// A consumer dead-lettered so much that the breaker has stopped it.
    BREAKER_TRIPPED = "breaker_tripped";
    /// Processes have ended over the same events: they run one by one.
    SUSPECT_EVENTS = "suspect_events";
}

/// Alarms that ended within this time go on when they are raised again: a flapping one is one.
const FLAPS_WITHIN: TimeDelta = TimeDelta::minutes(10);
/// How long an alarm that only tells stands after it was last raised.
const TOLD_FOR: TimeDelta = TimeDelta::minutes(10);
/// Ended alarms remembered.
const ENDED: usize = 1_000;

static BOOK: LazyLock<Mutex<Book>> = LazyLock::new(Mutex::default);
/// How many stand, so that clearing, which healthy actors do all the time, costs nothing while none does.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// An alarm from its beginning to its end at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its own id.
    pub id: Uuid,
    /// What kind.
    pub code: &'static str,
    /// Where, such as a partition.
    pub place: String,
    /// Why, as it was last raised.
    pub why: String,
    /// How often it was raised: 1 or more.
    pub times: u64,
    /// When first.
    pub raised_at: DateTime<Utc>,
    /// When last.
    pub last_at: DateTime<Utc>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Entry {
    alarm: Alarm,
    is_stored: bool,
}

#[derive(Debug, Default)]
struct Book {
    standing: BTreeMap<(&'static str, String), Entry>,
    ended: VecDeque<Entry>,
}

/// Raises an alarm about a place, such as a partition. It stands until it is [`clear`]ed there.
pub fn raise(code: &'static str, place: &str, why: &str) {
    metrics::counter!(names::ALARMS_TOTAL, "code" => code).increment(1);
    tracing::error!(alarm = code, place, why, "alarm");
    let mut book = book();
    book.raise(code, place, why, clock::now());
    COUNT.store(book.standing.len(), Ordering::Release);
}

/// Raises an alarm unless it stands there already: for whoever looks again and again.
pub fn stand(code: &'static str, place: &str, why: &str) {
    let stands = COUNT.load(Ordering::Acquire) > 0 && book().standing.contains_key(&(code, place.to_owned()));
    if !stands {
        raise(code, place, why);
    }
}

/// What was wrong at this place is over.
pub fn clear(code: &'static str, place: &str) {
    if COUNT.load(Ordering::Acquire) == 0 {
        return;
    }
    let mut book = book();
    if book.clear(code, place, clock::now()) {
        tracing::info!(alarm = code, place, "alarm is over");
    }
    COUNT.store(book.standing.len(), Ordering::Release);
}

/// Ends alarms that only tell and have not been raised for a while: nobody else says when they are over.
pub fn settle() {
    let now = clock::now();
    let mut book = book();
    let told: Vec<(&'static str, String)> = book
        .standing
        .iter()
        .filter(|((code, _), entry)| only_tells(code) && now - entry.alarm.last_at > TOLD_FOR)
        .map(|(key, _)| key.clone())
        .collect();
    for (code, place) in told {
        book.clear(code, &place, now);
    }
    COUNT.store(book.standing.len(), Ordering::Release);
}

/// Alarms that stand.
#[must_use]
pub fn standing() -> Vec<Alarm> {
    book().standing.values().map(|entry| entry.alarm.clone()).collect()
}

/// Alarms that began, went on or ended since they were last [`stored`].
#[must_use]
pub fn unstored() -> Vec<Alarm> {
    let book = book();
    let entries = book.standing.values().chain(&book.ended);
    entries.filter(|entry| !entry.is_stored).map(|entry| entry.alarm.clone()).collect()
}

/// These are stored as they are here; one that has changed meanwhile is stored again.
pub fn stored(alarms: &[Alarm]) {
    let mut book = book();
    let Book { standing, ended } = &mut *book;
    for entry in standing.values_mut().chain(ended) {
        entry.is_stored |= alarms.contains(&entry.alarm);
    }
}

fn book() -> MutexGuard<'static, Book> {
    BOOK.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    fn raise(&mut self, code: &'static str, place: &str, why: &str, now: DateTime<Utc>) {
        let key = (code, place.to_owned());
        let entry = match self.standing.remove(&key).or_else(|| self.revived(code, place, now)) {
            Some(mut entry) => {
                let alarm = &mut entry.alarm;
                (alarm.times, alarm.last_at, alarm.ended_at) = (alarm.times + 1, now, None);
                why.clone_into(&mut alarm.why);
                entry
            }
            None => Entry {
                alarm: Alarm {
                    id: clock::new_id(),
                    code,
                    place: place.to_owned(),
                    why: why.to_owned(),
                    times: 1,
                    raised_at: now,
                    last_at: now,
                    ended_at: None,
                },
                is_stored: false,
            },
        };
        self.standing.insert(key, Entry { is_stored: false, ..entry });
    }

    fn revived(&mut self, code: &str, place: &str, now: DateTime<Utc>) -> Option<Entry> {
        let is_it = |entry: &Entry| {
            let Alarm { code: ended, place: at, ended_at, .. } = &entry.alarm;
            *ended == code && at == place && ended_at.is_some_and(|ended| now - ended < FLAPS_WITHIN)
        };
        let index = self.ended.iter().position(is_it)?;
        self.ended.remove(index)
    }

    fn clear(&mut self, code: &'static str, place: &str, now: DateTime<Utc>) -> bool {
        let Some(mut entry) = self.standing.remove(&(code, place.to_owned())) else {
            return false;
        };
        entry.alarm.ended_at = Some(now);
        entry.is_stored = false;
        if self.ended.len() >= ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(entry);
        true
    }
}

/// Sets the gauge of every code; `/metrics` asks for it before each answer.
pub(super) fn publish_gauges() {
    let standing = standing();
    for code in ALL {
        let stands = standing.iter().any(|alarm| alarm.code == *code);
        metrics::gauge!(names::ALARM_STANDING, "code" => *code).set(f64::from(u8::from(stands)));
    }
}

/// Whether an alarm of this code only tells: nobody says when it is over.
#[must_use]
pub fn only_tells(code: &str) -> bool {
    matches!(code, TOPIC_FILLED | TOPIC_LOST | STREAM_GAP)
}

/// Whether callers are served as ever while an alarm of this code stands, so that the process stays ready.
#[must_use]
pub fn degrades(code: &str) -> bool {
    only_tells(code) || matches!(code, BREAKER_TRIPPED | PARKING_FULL | SUSPECT_EVENTS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The parts of every page, in their order.
    const PARTS: [&str; 5] =
        ["## What it means", "## What to look at", "## What to do", "## What not to do", "## How it clears"];

    #[test]
    fn each_code_has_its_page_and_each_page_its_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbooks");
        let files = std::fs::read_dir(&folder).expect("docs/runbooks").map(|file| file.expect("a file").path());
        let pages: BTreeSet<String> = files
            .filter_map(|path| path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned))
            .filter(|stem| stem != "README")
            .collect();
        assert_eq!(pages, ALL.iter().map(|code| (*code).to_owned()).collect());
        let index = std::fs::read_to_string(folder.join("README.md")).expect("the index");
        for code in ALL {
            let text = std::fs::read_to_string(folder.join(format!("{code}.md"))).expect("a page");
            assert!(text.starts_with(&format!("# {code}\n")), "{code} begins with its code");
            let parts: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
            assert_eq!(parts, PARTS, "{code}");
            let row = index.lines().find(|line| line.starts_with(&format!("| [{code}]({code}.md)"))).expect(code);
            assert_eq!(row.ends_with("| degraded |"), degrades(code), "{code}: {row}");
        }
    }

    #[test]
    fn an_alarm_stands_until_it_is_cleared_at_its_place() {
        raise(VIEW_STOPPED, "here", "first");
        raise(VIEW_STOPPED, "there", "second");
        clear(VIEW_STOPPED, "here");
        let mine = || {
            standing().into_iter().filter(|alarm| alarm.code == VIEW_STOPPED).map(|alarm| alarm.why).collect::<Vec<_>>()
        };
        assert_eq!(mine(), ["second"]);
        clear(VIEW_STOPPED, "there");
        assert!(mine().is_empty());
    }

    #[test]
    fn an_alarm_that_flaps_is_one_and_a_later_one_is_another() {
        let mut book = Book::default();
        let began = clock::now();
        book.raise(LOG_HOLE, "relay", "one", began);
        assert!(book.clear(LOG_HOLE, "relay", began));
        assert!(!book.clear(LOG_HOLE, "relay", began), "it was over already");
        book.raise(LOG_HOLE, "relay", "two", began + TimeDelta::minutes(9));
        let first = book.standing[&(LOG_HOLE, "relay".to_owned())].alarm.clone();
        assert_eq!((first.times, first.why.as_str(), first.ended_at), (2, "two", None));
        assert!(book.ended.is_empty());

        book.clear(LOG_HOLE, "relay", began);
        book.raise(LOG_HOLE, "relay", "three", began + TimeDelta::hours(1));
        let later = &book.standing[&(LOG_HOLE, "relay".to_owned())].alarm;
        assert_eq!((later.times, later.id == first.id), (1, false));
    }

    #[test]
    fn alarms_at_different_places_stand_apart() {
        let mut book = Book::default();
        book.raise(LOG_HOLE, "a", "x", clock::now());
        book.raise(LOG_HOLE, "b", "x", clock::now());
        book.clear(LOG_HOLE, "a", clock::now());
        assert_eq!(book.standing.keys().map(|key| key.1.as_str()).collect::<Vec<_>>(), ["b"]);
    }
}
