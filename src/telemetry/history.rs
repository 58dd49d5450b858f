//! What this process remembers of the last minute: how far each consumer was from the end of the log, so that it can be
//! told whether it catches up, and when. A process that has just started knows nothing yet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Serialize;

/// How long a distance is remembered.
const KEPT: Duration = Duration::from_secs(60);
/// Shortest time from which anything is concluded.
const SHORTEST: f64 = 3.0;
/// Nothing is concluded from distances that ended so long ago.
const STALE: Duration = Duration::from_secs(10);
/// Changes of less than this many positions are none: batches come and go.
const DEAD_BAND: i64 = 10;

/// Distances of each subscription, oldest first.
static DISTANCES: Mutex<BTreeMap<String, VecDeque<(Instant, i64)>>> = Mutex::new(BTreeMap::new());

/// Where a lag is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// It has not been looked at for long enough.
    Unknown,
    /// It is what it was.
    Steady,
    /// More comes than is applied.
    Growing,
    /// More is applied than comes.
    Falling,
}

/// Where a lag is going, and how long it takes until there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Where.
    pub direction: Direction,
    /// Until there is none at this rate; none unless it is falling.
    pub catch_up: Option<Duration>,
}

/// A subscription stands so many positions before the end of the log, now.
pub fn stands(subscription: &str, distance: i64) {
    let now = Instant::now();
    let mut distances = DISTANCES.lock().unwrap_or_else(PoisonError::into_inner);
    let ring = distances.entry(subscription.to_owned()).or_default();
    while ring.front().is_some_and(|(at, _)| now.duration_since(*at) > KEPT) {
        ring.pop_front();
    }
    ring.push_back((now, distance));
}

/// Where the lag of a subscription is going.
#[must_use]
pub fn trend(subscription: &str) -> Trend {
    let distances = DISTANCES.lock().unwrap_or_else(PoisonError::into_inner);
    let ends = distances.get(subscription).and_then(|ring| Some((*ring.front()?, *ring.back()?)));
    match ends {
        Some(((began, first), (ended, last))) if ended.elapsed() < STALE => {
            judge(first, last, ended.duration_since(began).as_secs_f64())
        }
        _ => judge(0, 0, 0.0),
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn judge(first: i64, last: i64, seconds: f64) -> Trend {
    let direction = match last - first {
        _ if seconds < SHORTEST => Direction::Unknown,
        change if change.abs() < DEAD_BAND => Direction::Steady,
        change if change > 0 => Direction::Growing,
        _ => Direction::Falling,
    };
    let catch_up = (direction == Direction::Falling).then(|| last as f64 * seconds / (first - last) as f64);
    Trend { direction, catch_up: catch_up.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_falling_lag_ends_at_its_rate_and_no_other_does() {
        for (first, last, seconds, direction, catch_up) in [
            (1_000, 500, 10.0, Direction::Falling, Some(10)),
            (1_000, 0, 10.0, Direction::Falling, Some(0)),
            (500, 1_000, 10.0, Direction::Growing, None),
            (1_000, 995, 10.0, Direction::Steady, None),
            (0, 0, 10.0, Direction::Steady, None),
            (1_000, 500, 1.0, Direction::Unknown, None),
        ] {
            let expected = Trend { direction, catch_up: catch_up.map(Duration::from_secs) };
            assert_eq!(judge(first, last, seconds), expected, "{first} -> {last} in {seconds} s");
        }
    }

    #[test]
    fn of_whom_nothing_is_known_nothing_is_told() {
        let nothing = Trend { direction: Direction::Unknown, catch_up: None };
        assert_eq!(trend("nobody"), nothing);
        stands("just-begun", 7);
        assert_eq!(trend("just-begun"), nothing, "one look says nothing about the next");
    }
}
