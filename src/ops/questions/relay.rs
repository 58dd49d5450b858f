//! `relay`: how far the log is published, partition by partition and topic by topic.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::consumers::age;
use crate::clock;
use crate::event_store;
use crate::ops::owner::{Owner, Owners};
use crate::ops::{Context, Question, Unanswered};
use crate::subscription::checkpoint::{self, Checkpoint, LOG, RELAY};

/// Nothing narrows it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {}

/// One partition of the log on its way to Kafka.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Partition {
    /// `partition-<number>`.
    pub key: String,
    /// Which.
    pub partition: i16,
    /// Last position of the log.
    pub head: i64,
    /// Last position that every topic concerned has acknowledged.
    pub published: i64,
    /// Events between.
    pub behind: i64,
    /// Age of the oldest of them, in seconds; none if there is none.
    pub oldest_seconds: Option<f64>,
    /// Who publishes it.
    pub owner: Owner,
    /// Whether somebody holds its lease now.
    pub is_led: bool,
    /// How often it changed hands.
    pub epoch: Option<i64>,
    /// When it last moved.
    pub moved_at: Option<DateTime<Utc>>,
}

/// What a topic partition has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Topic {
    /// `<topic> <partition>`.
    pub key: String,
    /// The topic, without its prefix.
    pub topic: String,
    /// Its partition.
    pub partition: i16,
    /// Offset behind the last record acknowledged.
    pub next_offset: i64,
    /// Log position of that record.
    pub position: i64,
    /// When it was noted.
    pub moved_at: DateTime<Utc>,
}

/// How far the log is published.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Events of the log that are not published yet, over all partitions.
    pub behind: i64,
    /// In their order.
    pub partitions: Vec<Partition>,
    /// By topic, then partition.
    pub topics: Vec<Topic>,
}

/// The question itself.
#[derive(Debug)]
pub struct Relay;

impl Question for Relay {
    const NAME: &'static str = "relay";
    const ABOUT: &'static str = "How far the log is published, by whom, and how old the oldest event is that is not";
    const COLUMNS: &'static [&'static str] = &[
        "/partition",
        "/head",
        "/published",
        "/behind",
        "/oldestSeconds",
        "/owner/node",
        "/isLed",
        "/topic",
        "/nextOffset",
        "/position",
        "/movedAt",
    ];
    type Args = Args;
    type Answer = Answer;

    async fn ask(_args: Args, context: &Context) -> Result<Answer, Unanswered> {
        Ok(seen(&Owners::seen(context).await?, context).await?)
    }
}

/// How far the log is published.
///
/// # Errors
/// What Postgres says.
pub(super) async fn seen(owners: &Owners, context: &Context) -> sqlx::Result<Answer> {
    // Places first: what is appended meanwhile makes them look further behind by that much, never ahead.
    let places = checkpoint::all(&context.db).await?;
    let heads = event_store::heads(&context.db).await?;
    let place =
        |partition| places.iter().find(|place| is_relay(place) && place.source == LOG && place.partition == partition);
    let positions: Vec<(i16, i64)> =
        heads.iter().map(|(partition, _)| (*partition, place(*partition).map_or(0, |place| place.position))).collect();
    let oldest = event_store::first_after(&context.db, &positions).await?;
    let now = clock::now();
    let partition = |((partition, head), oldest): (&(i16, i64), Option<DateTime<Utc>>)| {
        let place = place(*partition);
        let published = place.map_or(0, |place| place.position);
        Partition {
            key: format!("partition-{partition}"),
            partition: *partition,
            head: *head,
            published,
            behind: (head - published).max(0),
            oldest_seconds: oldest.map(|at| age(at, now)),
            owner: owners.of(place.and_then(|place| place.owner)),
            is_led: place
                .is_some_and(|place| place.owner.is_some() && place.lease_until.is_some_and(|until| until > now)),
            epoch: place.map(|place| place.epoch),
            moved_at: place.map(|place| place.moved_at),
        }
    };
    let partitions: Vec<Partition> = heads.iter().zip(oldest).map(partition).collect();
    let mut topics: Vec<Topic> =
        places.iter().filter(|place| is_relay(place) && place.source != LOG).map(topic).collect();
    topics.sort_by(|left, right| (&left.topic, left.partition).cmp(&(&right.topic, right.partition)));
    Ok(Answer { behind: partitions.iter().map(|partition| partition.behind).sum(), partitions, topics })
}

fn is_relay(place: &Checkpoint) -> bool {
    place.subscription == RELAY
}

fn topic(place: &Checkpoint) -> Topic {
    Topic {
        key: format!("{} {}", place.source, place.partition),
        topic: place.source.clone(),
        partition: place.partition,
        next_offset: place.next_offset,
        position: place.position,
        moved_at: place.moved_at,
    }
}
