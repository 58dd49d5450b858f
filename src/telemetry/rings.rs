//! What this process remembers of its figures: each a ring of seconds over 10 minutes, one of 10 seconds over 2 hours and one
//! of 2 minutes over a day, so that charts need no other program. A restart begins anew.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most series: names come from subscriptions, of which there are few.
const SERIES: usize = 200;

static RINGS: Mutex<BTreeMap<String, Series>> = Mutex::new(BTreeMap::new());

/// How far back a chart goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Span {
    /// Ten minutes, second by second.
    #[default]
    #[serde(rename = "10m")]
    Minutes,
    /// Two hours, by ten seconds.
    #[serde(rename = "2h")]
    Hours,
    /// A day, by two minutes.
    #[serde(rename = "24h")]
    Day,
}

impl Span {
    const ALL: [Self; 3] = [Self::Minutes, Self::Hours, Self::Day];

    /// Seconds of one point.
    #[must_use]
    pub const fn step(self) -> i64 {
        match self {
            Self::Minutes => 1,
            Self::Hours => 10,
            Self::Day => 120,
        }
    }

    /// Points of a full ring.
    const fn points(self) -> usize {
        match self {
            Self::Minutes => 600,
            Self::Hours | Self::Day => 720,
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minutes => "10m",
            Self::Hours => "2h",
            Self::Day => "24h",
        })
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|span| span.to_string() == text);
        found.ok_or_else(|| format!("{text:?} is none of 10m, 2h, 24h"))
    }
}

/// A figure at a time: Unix seconds of the beginning of its step, and its mean over it.
pub type Point = (i64, f64);

#[derive(Clone, Debug, Default)]
struct Series {
    /// The counter's last state, where it is one.
    counted: Option<(DateTime<Utc>, f64)>,
    rings: [Ring; 3],
}

#[derive(Clone, Debug, Default)]
struct Ring {
    points: VecDeque<Point>,
    /// The step that is not over: when it began, sum and number of what came.
    open: Option<(i64, f64, u32)>,
}

impl Ring {
    fn push(&mut self, span: Span, second: i64, value: f64) {
        let began = second - second.rem_euclid(span.step());
        match &mut self.open {
            Some((open, sum, number)) if *open == began => {
                *sum += value;
                *number += 1;
            }
            open => {
                if let Some((at, sum, number)) = open.replace((began, value, 1)) {
                    if self.points.len() >= span.points() {
                        self.points.pop_front();
                    }
                    self.points.push_back((at, sum / f64::from(number)));
                }
            }
        }
    }
}

/// A figure is this much now.
pub fn measured(name: &str, value: f64, at: DateTime<Utc>) {
    with(name, |series| series.push(value, at));
}

/// A counter that only grows stands there now: its rate a second is what is remembered. One that is less than it was began
/// anew.
pub fn counted(name: &str, total: f64, at: DateTime<Utc>) {
    with(name, |series| {
        let before = series.counted.replace((at, total));
        let Some((then, before)) = before else { return };
        let seconds = (at - then).as_seconds_f64();
        if seconds > 0.0 && total >= before {
            series.push((total - before) / seconds, at);
        }
    });
}

impl Series {
    fn push(&mut self, value: f64, at: DateTime<Utc>) {
        for (ring, span) in self.rings.iter_mut().zip(Span::ALL) {
            ring.push(span, at.timestamp(), value);
        }
    }
}

/// The newest value, unless it is older than `age`.
#[must_use]
pub fn newest(name: &str, age: Duration, now: DateTime<Utc>) -> Option<f64> {
    let rings = rings();
    let (at, value) = *rings.get(name)?.rings[0].points.back()?;
    let is_new = now.timestamp() - at <= i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    is_new.then_some(value)
}

/// Every series whose name begins so, oldest point first.
#[must_use]
pub fn series(prefix: &str, span: Span) -> Vec<(String, Vec<Point>)> {
    let rings = rings();
    let named = rings.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
    named.map(|(name, series)| (name.clone(), series.rings[span as usize].points.iter().copied().collect())).collect()
}

fn with(name: &str, change: impl FnOnce(&mut Series)) {
    let mut rings = rings();
    if let Some(series) = rings.get_mut(name) {
        change(series);
    } else if rings.len() < SERIES {
        change(rings.entry(name.to_owned()).or_default());
    }
}

fn rings() -> MutexGuard<'static, BTreeMap<String, Series>> {
    RINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("a time")
    }

    fn points(name: &str, span: Span) -> Vec<Point> {
        series(name, span).pop().expect("the series").1
    }

    #[test]
    fn a_counter_is_remembered_as_its_rate_and_one_that_fell_began_anew() {
        for (second, total) in [(0, 100.0), (1, 110.0), (3, 150.0), (4, 5.0), (5, 8.0), (6, 8.0)] {
            counted("test-counted", total, at(second));
        }
        assert_eq!(points("test-counted", Span::Minutes), [(1, 10.0), (3, 20.0), (5, 3.0)]);
    }

    #[test]
    fn coarser_rings_hold_means_and_every_ring_is_bounded() {
        for second in 0..2_000 {
            #[expect(clippy::cast_precision_loss, reason = "small")]
            measured("test-measured", second as f64, at(second));
        }
        let fine = points("test-measured", Span::Minutes);
        assert_eq!((fine.len(), fine.last()), (600, Some(&(1_998, 1_998.0))));
        assert_eq!(points("test-measured", Span::Hours)[0], (0, 4.5));
        assert_eq!(points("test-measured", Span::Day)[0], (0, 59.5));
    }

    #[test]
    fn what_is_old_is_not_now() {
        measured("test-old", 1.0, at(100));
        measured("test-old", 2.0, at(101));
        assert_eq!(newest("test-old", Duration::from_secs(5), at(104)), Some(1.0));
        assert_eq!(newest("test-old", Duration::from_secs(5), at(110)), None);
        assert_eq!(newest("test-never", Duration::from_secs(5), at(0)), None);
    }
}
