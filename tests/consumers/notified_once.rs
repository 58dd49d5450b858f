//! Nobody is told the same thing twice, whatever ledger and guard have forgotten.

use ordo::contracts::{RecordedEvent, topics};
use serde_json::json;
use uuid::Uuid;

use super::stage::{Stage, event};

fn about(order: Uuid, version: i32, event_type: &str, position: i64) -> RecordedEvent {
    let payload = json!({ "orderId": order, "userId": "ada" }).to_string();
    RecordedEvent { event_type: event_type.to_owned(), payload, ..event(&format!("order:{order}"), version, position) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_that_was_requested_before_is_not_requested_again_while_its_neighbours_are() {
    let stage = Stage::of("notification").await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let epoch = stage.claim(&lane).await.epoch;
    let (old, new) = (Uuid::new_v4(), Uuid::new_v4());
    let created = about(old, 1, "order.created", 1);
    assert_eq!(stage.work_off(&lane, epoch, std::slice::from_ref(&created)).await.applied, 1);
    stage.forget_ledger().await;
    stage.forget_guard().await;
    // The first of the batch meets the stream that it made itself: the batch is run again, reading first.
    let batch = [created, about(old, 2, "order.confirmed", 2), about(new, 1, "order.created", 3)];
    let passed = stage.work_off(&lane, epoch, &batch).await;
    assert_eq!((passed.applied, passed.letters), (3, 0), "{:?}", stage.letters().await);
    let mut streams: Vec<(String, i32)> =
        sqlx::query_as("select stream_id, version from log").fetch_all(&stage.db).await.unwrap();
    streams.sort();
    let mut expected = [(old, "order_created"), (old, "order_confirmed"), (new, "order_created")]
        .map(|(order, template)| (format!("notification:{order}:{template}"), 1));
    expected.sort();
    assert_eq!(streams, expected);
    stage.finish().await;
}
