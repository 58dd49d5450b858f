//! How far consumers are behind, told by Postgres alone: the log knows what a topic holds or will hold, so it can be told
//! while Kafka is away.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::PgPool;

use super::checkpoint::{Checkpoint, LOG, RELAY};
use crate::contracts::{Position, topics};
use crate::event_store;

/// Most rows of the log that are looked at behind one place.
pub const LOOKED_AT: i64 = 10_000;

/// Events that follow the place of a consumer in one partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lag {
    /// How many, published or not.
    pub events: i64,
    /// Whether there may be more: only so many are counted.
    pub is_more: bool,
    /// When the first of them was appended.
    pub oldest: Option<DateTime<Utc>>,
}

/// How far the relay has come, by partition, and the last position it published to each topic.
struct Published<'a> {
    log: HashMap<i16, Position>,
    topics: HashMap<(&'a str, i16), Position>,
}

impl<'a> Published<'a> {
    fn of(places: &'a [Checkpoint]) -> Self {
        let (mut log, mut topics) = (HashMap::new(), HashMap::new());
        for place in places.iter().filter(|place| place.subscription == RELAY) {
            if place.source == LOG {
                log.insert(place.partition, place.position);
            } else {
                topics.insert((place.source.as_str(), place.partition), place.position);
            }
        }
        Self { log, topics }
    }

    /// Behind which position of the log a consumer's lag begins. One that has applied the last event of its topic lacks
    /// nothing of what was published since, however much of it went to other topics.
    fn begin(&self, topic: &str, partition: i16, position: Position) -> Position {
        let last_of_topic = self.topics.get(&(topic, partition)).copied().unwrap_or(0);
        let relay = self.log.get(&partition).copied().unwrap_or(0);
        if last_of_topic <= position { position.max(relay) } else { position }
    }
}

/// The lag behind each of these (topic, partition, position), in their order; `places` are all checkpoints, of one moment.
///
/// # Errors
/// What Postgres says.
pub async fn behind(lanes: &[(&str, i16, Position)], places: &[Checkpoint], db: &PgPool) -> sqlx::Result<Vec<Lag>> {
    let published = Published::of(places);
    let mut lags = vec![Lag::default(); lanes.len()];
    let mut by_topic: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, (topic, ..)) in lanes.iter().enumerate() {
        by_topic.entry(topic).or_default().push(index);
    }
    for (topic, indexes) in by_topic {
        let begins: Vec<(i16, Position)> = indexes
            .iter()
            .map(|index| {
                let (_, partition, position) = lanes[*index];
                (partition, published.begin(topic, partition, position))
            })
            .collect();
        let ahead = event_store::count_after(db, &begins, topics::streams_of(topic), LOOKED_AT).await?;
        for (index, ahead) in indexes.into_iter().zip(ahead) {
            lags[index] = Lag { events: ahead.events, is_more: ahead.is_more, oldest: ahead.oldest };
        }
    }
    Ok(lags)
}

/// How many positions of the log lie between each consumer and its end, over all partitions it has claimed: costs no look
/// at the log, shrinks as its lag does, and is no number of events, since a topic holds some of a partition's.
#[must_use]
pub fn distances<'a>(places: &'a [Checkpoint], heads: &[(i16, Position)]) -> BTreeMap<&'a str, i64> {
    let published = Published::of(places);
    let heads: HashMap<i16, Position> = heads.iter().copied().collect();
    let mut distances = BTreeMap::new();
    for place in places.iter().filter(|place| place.subscription != RELAY && place.source != LOG) {
        let begin = published.begin(&place.source, place.partition, place.position);
        let head = heads.get(&place.partition).copied().unwrap_or(begin);
        *distances.entry(place.subscription.as_str()).or_insert(0) += (head - begin).max(0);
    }
    distances
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn place(subscription: &str, source: &str, position: Position) -> Checkpoint {
        Checkpoint {
            subscription: subscription.to_owned(),
            source: source.to_owned(),
            partition: 0,
            next_offset: 0,
            position,
            epoch: 1,
            owner: None,
            lease_until: None,
            moved_at: clock::now(),
        }
    }

    #[test]
    fn the_distance_is_from_the_place_to_the_end_of_the_log() {
        let places = [
            place("inventory", "order.events", 7),
            place("order_view", LOG, 3),
            place(RELAY, LOG, 20),
            place(RELAY, "order.events", 19),
        ];
        assert_eq!(distances(&places, &[(0, 30)]), BTreeMap::from([("inventory", 23)]));
    }

    #[test]
    fn who_has_the_last_event_of_its_topic_lacks_nothing_that_was_published() {
        let places = [
            place("orders", "inventory.events", 7),
            place(RELAY, LOG, 20),
            place(RELAY, "inventory.events", 7),
            place("quiet", "product.events", 0),
        ];
        assert_eq!(distances(&places, &[(0, 30)]), BTreeMap::from([("orders", 10), ("quiet", 10)]));
    }

    #[test]
    fn a_relay_that_was_set_back_hides_nothing_and_invents_nothing() {
        let places =
            [place("orders", "inventory.events", 7), place(RELAY, LOG, 0), place(RELAY, "inventory.events", 7)];
        assert_eq!(distances(&places, &[(0, 30)]), BTreeMap::from([("orders", 23)]));
    }
}
