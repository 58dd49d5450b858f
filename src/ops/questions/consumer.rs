//! `consumers show`: one consumer, partition by partition, and what it has set aside.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::consumers::{Summary, age, summary};
use crate::clock;
use crate::ops::consumer::unknown;
use crate::ops::owner::{Owner, Owners};
use crate::ops::{Context, Question, Unanswered};
use crate::subscription::overview::{self, Counts, Lane, Parked, ParkedStream};
use crate::telemetry::history;

/// Most parked streams an answer holds.
const MOST: i64 = 100;

/// Which consumer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Its name, from `consumers list`.
    pub consumer: String,
}

/// One topic partition of a consumer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Partition {
    /// The topic.
    pub topic: String,
    /// Its partition.
    pub partition: i16,
    /// The record it reads next; none if nobody has ever claimed it.
    pub next_offset: Option<i64>,
    /// Last position applied: the truth about what was.
    pub position: Option<i64>,
    /// Who works it.
    pub owner: Owner,
    /// How often it was claimed.
    pub claims: i64,
    /// When it last moved.
    pub moved_at: Option<DateTime<Utc>>,
    /// Records before this offset come again because an operator moved the place back; none once they all have.
    pub sought_until: Option<i64>,
    /// Events behind that place, published or not; those set aside are not among them.
    pub lag_events: i64,
    /// Whether there may be more: only so many are counted.
    pub is_more: bool,
    /// Age of the first of them, in seconds.
    pub lag_seconds: Option<f64>,
    /// What is set aside.
    pub parked: Parked,
    /// What has become of its events since ever.
    pub counts: Counts,
}

/// One consumer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// At a glance.
    #[serde(flatten)]
    pub summary: Summary,
    /// Partition by partition.
    pub partitions: Vec<Partition>,
    /// Streams set aside, those tried next first, at most 100.
    pub parked_streams: Vec<ParkedStream>,
}

/// The question itself.
#[derive(Debug)]
pub struct Consumer;

impl Question for Consumer {
    const NAME: &'static str = "consumers show";
    const ABOUT: &'static str = "One consumer, partition by partition, and the streams it has set aside";
    const EXAMPLE: Option<&'static str> = Some("ordo consumers show inventory");
    const COLUMNS: &'static [&'static str] = &[
        "/topic",
        "/partition",
        "/owner/node",
        "/owner/isAlive",
        "/nextOffset",
        "/soughtUntil",
        "/position",
        "/lagEvents",
        "/lagSeconds",
        "/claims",
        "/counts/applied",
        "/counts/skipped",
        "/counts/redelivered",
        "/counts/republished",
        "/counts/replayed",
        "/counts/parked",
        "/counts/letters",
        "/counts/retries",
        "/streamId",
        "/depth",
        "/retries",
        "/dueInSeconds",
        "/letterId",
        "/error",
    ];
    type Args = Args;
    type Answer = Answer;

    async fn ask(Args { consumer }: Args, context: &Context) -> Result<Answer, Unanswered> {
        let Some(followed) = context.consumers.iter().find(|followed| followed.name == consumer) else {
            let names: Vec<&str> = context.consumers.iter().map(|followed| followed.name.as_str()).collect();
            return Err(Unanswered::NotFound(unknown(&consumer, &names)));
        };
        let owners = Owners::seen(context).await?;
        let overviews = overview::overviews(std::slice::from_ref(followed), &context.db).await?;
        let parked_streams = overview::parked_streams(&consumer, None, MOST, &context.db).await?;
        let now = clock::now();
        let answer = |overview: overview::Overview| Answer {
            summary: summary(&overview, &owners, history::trend(&consumer), now),
            partitions: overview.lanes.iter().map(|lane| partition(lane, &owners, now)).collect(),
            parked_streams,
        };
        let found = overviews.into_iter().next().map(answer);
        found.ok_or_else(|| Unanswered::NotFound(format!("nothing is known of {}", followed.name)))
    }
}

fn partition(lane: &Lane, owners: &Owners, now: DateTime<Utc>) -> Partition {
    Partition {
        topic: lane.topic.clone(),
        partition: lane.partition,
        next_offset: lane.place.map(|place| place.next_offset),
        position: lane.place.map(|place| place.position),
        owner: owners.of(lane.place.and_then(|place| place.owner)),
        claims: lane.place.map_or(0, |place| place.epoch),
        moved_at: lane.place.map(|place| place.moved_at),
        sought_until: lane.place.and_then(|place| place.sought_until.filter(|until| *until > place.next_offset)),
        lag_events: lane.lag.events,
        is_more: lane.lag.is_more,
        lag_seconds: lane.lag.oldest.map(|oldest| age(oldest, now)),
        parked: lane.parked,
        counts: lane.counts,
    }
}
