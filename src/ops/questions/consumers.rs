//! `consumers list`: how each consumer is, how far it is behind and whether it catches up. Told by Postgres alone, so it
//! is told while Kafka is away.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::ops::owner::Owners;
use crate::ops::{Context, Question, Unanswered};
use crate::subscription::control::Hold;
use crate::subscription::overview::{self, Counts, Lane, Overview, Parked};
use crate::telemetry::history::{self, Direction, Trend};

/// Nothing narrows it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {}

/// How a consumer is. Where several hold, the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// An operator has paused it.
    Paused,
    /// The breaker has stopped it.
    Tripped,
    /// No living process works one of its partitions.
    Unowned,
    /// Each of its partitions is worked.
    Running,
}

/// How far a consumer is behind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Behind {
    /// Events it has not applied, published or not, those set aside included.
    pub events: i64,
    /// Whether there may be more: of each partition only so many are counted.
    pub is_more: bool,
    /// How many of them are set aside.
    pub parked_events: i64,
    /// Age of the oldest of them, in seconds; none if there is none.
    pub seconds: Option<f64>,
    /// Where that is going, as this process has seen it for a minute.
    pub trend: Direction,
    /// Seconds until there is none at this rate; none unless it is falling.
    pub catch_up_seconds: Option<f64>,
}

/// A consumer at a glance.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Its name.
    pub consumer: String,
    /// How it is.
    pub state: State,
    /// By whom it is held, and why.
    pub why: Option<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// How far it is behind.
    pub lag: Behind,
    /// Topic partitions that no living process works.
    pub unowned: Vec<String>,
    /// Streams it has set aside, and the events that wait in them.
    pub parked: Parked,
    /// Dead letters that wait for an operator.
    pub open_letters: i64,
    /// What has become of its events since ever.
    pub counts: Counts,
    /// How often a partition was claimed: each time another worker took it over, and each seek.
    pub claims: i64,
}

/// Every consumer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// In the order of the list in `consumers/`.
    pub consumers: Vec<Summary>,
}

/// The question itself.
#[derive(Debug)]
pub struct Consumers;

impl Question for Consumers {
    const NAME: &'static str = "consumers list";
    const ABOUT: &'static str = "How each consumer is, how far it is behind, and whether it catches up";
    const COLUMNS: &'static [&'static str] = &[
        "/consumer",
        "/state",
        "/lag/events",
        "/lag/seconds",
        "/lag/trend",
        "/lag/catchUpSeconds",
        "/parked/streams",
        "/openLetters",
        "/counts/applied",
        "/claims",
        "/why",
    ];
    type Args = Args;
    type Answer = Answer;

    async fn ask(_args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let owners = Owners::seen(context).await?;
        let overviews = overview::overviews(&context.consumers, &context.db).await?;
        let summary = |overview: &Overview| summary(overview, &owners, history::trend(&overview.name), clock::now());
        Ok(Answer { consumers: overviews.iter().map(summary).collect() })
    }
}

/// A consumer at a glance.
pub(super) fn summary(overview: &Overview, owners: &Owners, trend: Trend, now: DateTime<Utc>) -> Summary {
    let is_owned = |lane: &&Lane| lane.place.is_some_and(|place| owners.of(place.owner).is_alive);
    let unowned: Vec<String> = overview
        .lanes
        .iter()
        .filter(|lane| !is_owned(lane))
        .map(|lane| format!("{} {}", lane.topic, lane.partition))
        .collect();
    let (state, why, since) = state(&overview.hold, &unowned);
    let parked: Parked = overview.lanes.iter().map(|lane| lane.parked).sum();
    let behind: i64 = overview.lanes.iter().map(|lane| lane.lag.events).sum();
    Summary {
        consumer: overview.name.clone(),
        state,
        why,
        since,
        lag: Behind {
            events: behind + parked.events,
            is_more: overview.lanes.iter().any(|lane| lane.lag.is_more),
            parked_events: parked.events,
            seconds: overview.oldest.map(|oldest| age(oldest, now)),
            trend: trend.direction,
            catch_up_seconds: trend.catch_up.map(|time| time.as_secs_f64()),
        },
        unowned,
        parked,
        open_letters: overview.open_letters,
        counts: overview.lanes.iter().map(|lane| lane.counts).sum(),
        claims: overview.lanes.iter().filter_map(|lane| lane.place).map(|place| place.epoch).sum(),
    }
}

/// How long ago in seconds; a clock that is behind makes nothing younger than now.
pub(super) fn age(at: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    (now - at).to_std().unwrap_or_default().as_secs_f64()
}

fn state(hold: &Hold, unowned: &[String]) -> (State, Option<String>, Option<DateTime<Utc>>) {
    match (hold.paused_at, hold.tripped_at) {
        (Some(at), _) => {
            let by = hold.paused_by.as_deref().unwrap_or("somebody");
            let why = hold.paused_why.as_deref().unwrap_or("no reason");
            (State::Paused, Some(format!("{by}: {why}")), Some(at))
        }
        (None, Some(at)) => (State::Tripped, hold.tripped_why.clone(), Some(at)),
        (None, None) if unowned.is_empty() => (State::Running, None, None),
        (None, None) => (State::Unowned, Some(format!("nobody works {}", unowned.join(", "))), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_has_said_comes_before_what_the_breaker_said_and_that_before_who_works() {
        let at = Some(clock::now());
        let paused = Hold {
            paused_at: at,
            paused_by: Some("ada".to_owned()),
            paused_why: Some("stocktaking".to_owned()),
            ..Hold::default()
        };
        let tripped = Hold { tripped_at: at, tripped_why: Some("9 of 10 failed".to_owned()), ..Hold::default() };
        let both = Hold { tripped_at: at, ..paused.clone() };
        let alone = ["order.events 1".to_owned()];
        for (hold, unowned, expected, why) in [
            (&paused, &alone[..], State::Paused, Some("ada: stocktaking")),
            (&both, &[], State::Paused, Some("ada: stocktaking")),
            (&tripped, &alone, State::Tripped, Some("9 of 10 failed")),
            (&Hold::default(), &alone, State::Unowned, Some("nobody works order.events 1")),
            (&Hold::default(), &[], State::Running, None),
        ] {
            let (state, said, since) = state(hold, unowned);
            assert_eq!((state, said.as_deref()), (expected, why));
            assert_eq!(since.is_some(), hold.holds());
        }
    }
}
