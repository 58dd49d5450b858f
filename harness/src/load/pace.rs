//! When the next order is due, and when there is none any more.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Each connection sends its next order when the last one is answered.
    Closed,
    /// So many orders a second, however long the answers take.
    Open { rate: f64 },
}

#[derive(Clone, Copy, Debug)]
pub enum Until {
    Elapsed(Duration),
    Orders(u64),
}

/// Hands out order numbers with the time each is due.
pub struct Schedule {
    pace: Pace,
    until: Until,
    started: Instant,
    next: AtomicU64,
    stopped: AtomicBool,
}

pub struct Due {
    pub number: u64,
    pub at: Instant,
}

impl Schedule {
    pub fn start(pace: Pace, until: Until) -> Self {
        Self { pace, until, started: Instant::now(), next: AtomicU64::new(0), stopped: AtomicBool::new(false) }
    }

    pub fn next(&self) -> Option<Due> {
        if self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.due(number, Instant::now())
    }

    fn due(&self, number: u64, now: Instant) -> Option<Due> {
        let at = match self.pace {
            Pace::Closed => now,
            Pace::Open { rate } => self.started + Duration::from_secs_f64(number as f64 / rate),
        };
        let more = match self.until {
            Until::Elapsed(limit) => at.duration_since(self.started) < limit,
            Until::Orders(count) => number < count,
        };
        more.then_some(Due { number, at })
    }

    /// No further order; those under way are carried to their end.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub fn started(&self) -> Instant {
        self.started
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_loop_is_due_by_the_clock_and_not_by_the_answers() {
        let schedule = Schedule::start(Pace::Open { rate: 100.0 }, Until::Elapsed(Duration::from_secs(1)));
        let late = schedule.started + Duration::from_secs(30);
        let due = schedule.due(50, late).map(|due| due.at - schedule.started);
        assert_eq!(due, Some(Duration::from_millis(500)));
        assert!(schedule.due(100, late).is_none());
    }

    #[test]
    fn a_closed_loop_ends_by_count_or_by_time() {
        let counted = Schedule::start(Pace::Closed, Until::Orders(2));
        assert_eq!((0..5).filter(|_| counted.next().is_some()).count(), 2);
        let timed = Schedule::start(Pace::Closed, Until::Elapsed(Duration::from_secs(1)));
        assert!(timed.due(0, timed.started + Duration::from_secs(2)).is_none());
    }

    #[test]
    fn a_stopped_schedule_hands_out_nothing() {
        let schedule = Schedule::start(Pace::Closed, Until::Orders(10));
        schedule.stop();
        assert!(schedule.next().is_none());
    }
}
