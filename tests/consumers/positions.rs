//! What a delivered batch is worth: the position decides, and the log fills what the topic lacks.

use ordo::contracts::{Position, RecordedEvent, envelope, topics};
use ordo::event_store::{Append, NewEvent, append};
use ordo::subscription::admit::{admit, missing};
use ordo::subscription::checkpoint::{self, Acknowledged, RELAY};
use ordo::subscription::{AdmitError, Admitted, Batch, Entry, Lane, Place, Record};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Database;

/// A log of one partition in which every tenth event is a product's and the others are orders'.
struct Log {
    database: Database,
    db: PgPool,
    /// The orders' events, as the topic should hold them: record *n* at offset *n*.
    orders: Vec<RecordedEvent>,
}

impl Log {
    async fn of(events: i32) -> Self {
        let database = Database::with_partitions(1).await;
        let appends: Vec<Append> = (1..=events)
            .map(|n| {
                let (stream, event_type) =
                    if n % 10 == 0 { ("product", "product.created") } else { ("order", "order.created") };
                Append {
                    append_id: Uuid::new_v4(),
                    stream_id: format!("{stream}:{n}"),
                    partition: 0,
                    partition_key: n.to_string(),
                    expected_version: 0,
                    events: vec![NewEvent { event_type, schema_version: 1, payload: format!("{{\"n\":{n}}}") }],
                    meta: "{}".to_owned(),
                }
            })
            .collect();
        let db = database.service_pool();
        let outcomes = append::within(&mut db.acquire().await.unwrap(), &appends).await.unwrap();
        let recorded = appends.into_iter().zip(outcomes).flat_map(|(append, place)| append.recorded(place));
        let orders = recorded.filter(|event| event.stream_id.starts_with("order:")).collect();
        Self { database, db, orders }
    }

    /// The record at an offset of the topic.
    fn record(&self, offset: usize) -> Record {
        let previous = offset.checked_sub(1).map_or(0, |before| self.orders[before].position);
        record(&self.orders[offset], Some(previous), i64::try_from(offset).unwrap())
    }

    async fn admit(&self, records: Vec<Record>, next_offset: i64, last: Position) -> Result<Admitted, AdmitError> {
        let at = Place { next_offset, position: last, sought_until: 0 };
        admit(Batch::Records(records), &self.lane(topics::ORDER_EVENTS), at, &self.db).await
    }

    fn lane(&self, source: &str) -> Lane {
        Lane { subscription: "witness".to_owned(), source: source.to_owned(), partition: 0 }
    }

    async fn finish(self) {
        self.db.close().await;
        self.database.drop().await;
    }
}

fn record(event: &RecordedEvent, previous: Option<Position>, offset: i64) -> Record {
    let headers = envelope::headers(event, previous);
    Record {
        offset,
        key: Some(event.partition_key.clone().into_bytes()),
        value: Some(event.payload.clone().into_bytes()),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), Some(value.into_bytes()))).collect(),
        time: None,
    }
}

/// Positions of what is to be applied.
fn positions(admitted: &Admitted) -> Vec<Position> {
    let position = |entry: &(Entry, i64, Position)| match &entry.0 {
        Entry::Event(delivered) => delivered.event.position,
        Entry::Foreign { reason, .. } => panic!("{reason}"),
    };
    admitted.entries.iter().map(position).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_at_or_below_the_last_position_is_a_duplicate_and_reaches_no_handler() {
    let log = Log::of(5).await;
    let records: Vec<Record> = (0..5).map(|offset| log.record(offset)).collect();
    let admitted = log.admit(records.clone(), 0, 3).await.unwrap();
    assert_eq!((positions(&admitted), admitted.repeats.len()), (vec![4, 5], 3));
    assert_eq!((admitted.next_offset, admitted.position), (5, 5));
    let admitted = log.admit(records, 0, 5).await.unwrap();
    assert_eq!((positions(&admitted), admitted.repeats.len()), (vec![], 5));
    assert_eq!((admitted.next_offset, admitted.position), (5, 5), "reading goes on behind them");
    log.finish().await;
}

/// There the ledger alone decides: a mirrored topic holds some events of a partition, and no position means anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_mirrored_topic_is_no_duplicate_by_its_position() {
    let log = Log::of(3).await;
    let mirrored = Batch::Records(vec![record(&log.orders[0], None, 0)]);
    let admitted =
        admit(mirrored, &log.lane("order.created"), Place { next_offset: 0, position: 3, sought_until: 0 }, &log.db)
            .await
            .unwrap();
    assert_eq!((positions(&admitted), admitted.repeats.len(), admitted.position), (vec![1], 0, 3));
    log.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_a_topic_is_filled_from_the_log_in_order_and_in_pieces() {
    let log = Log::of(1_300).await;
    let last = log.orders.len() - 1;
    let offset = i64::try_from(last).unwrap();
    let (mut next_offset, mut position) = (0, 0);
    let (mut batch, mut applied, mut pieces) = (vec![log.record(last)], Vec::new(), Vec::new());
    while !batch.is_empty() {
        let admitted = log.admit(std::mem::take(&mut batch), next_offset, position).await.unwrap();
        applied.extend(positions(&admitted));
        pieces.push(admitted.filled);
        if !admitted.rest.is_empty() {
            assert_eq!(admitted.rest, [log.record(last)], "the record behind the hole stays as it came");
            assert_eq!(admitted.next_offset, offset, "and is read again after a crash");
        }
        (next_offset, position, batch) = (admitted.next_offset, admitted.position, admitted.rest);
    }
    assert_eq!(pieces, [500, 500, 169]);
    assert_eq!(applied, log.orders.iter().map(|event| event.position).collect::<Vec<_>>());
    assert_eq!((next_offset, position), (offset + 1, log.orders[last].position));
    log.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_the_log_cannot_fill_is_an_error_and_nothing_behind_it_is_applied() {
    let log = Log::of(12).await;
    // Position 10 is a product's: this topic never held it.
    let record = record(&log.orders[9], Some(10), 9);
    let refused = log.admit(vec![record], 9, 8).await;
    assert!(
        matches!(&refused, Err(AdmitError::Hole { topic, partition: 0, last: 8, found: 11 }) if topic == "order.events"),
        "{refused:?}"
    );
    log.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_that_go_back_say_that_the_topic_was_made_again() {
    let log = Log::of(3).await;
    for (next_offset, is_made_again) in [(0, false), (1, true), (7, true)] {
        let admitted = log.admit(vec![log.record(0), log.record(1)], next_offset, 1).await.unwrap();
        assert_eq!(admitted.is_made_again, is_made_again, "read from {next_offset}");
        assert_eq!((positions(&admitted), admitted.next_offset), (vec![2], 2), "the position decides all the same");
    }
    log.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_and_never_came_is_taken_from_the_log_and_nothing_else() {
    let log = Log::of(15).await;
    let lane = log.lane(topics::ORDER_EVENTS);
    assert!(missing(&lane, 4, 8, &log.db).await.unwrap().is_none(), "nothing is known to be published");
    let noted = [(topics::ORDER_EVENTS, 12), ("order.created", 12)].map(|(topic, position)| Acknowledged {
        topic: topic.to_owned(),
        next_offset: 11,
        position,
    });
    checkpoint::note_published(RELAY, 0, &noted, &mut log.db.acquire().await.unwrap()).await.unwrap();
    let found = missing(&lane, 4, 8, &log.db).await.unwrap().expect("the consumer is behind");
    assert_eq!((positions(&found), found.filled), (vec![9, 11, 12], 3));
    assert_eq!((found.next_offset, found.position), (4, 12), "where Kafka is read on, only Kafka says");
    assert!(missing(&lane, 4, 12, &log.db).await.unwrap().is_none(), "it is not behind");
    let mirrored = missing(&log.lane("order.created"), 4, 8, &log.db).await.unwrap();
    assert!(mirrored.is_none(), "no position says what a mirrored topic lacks");
    log.finish().await;
}
