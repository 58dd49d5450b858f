use std::sync::Arc;
use std::time::Duration;

use ordo::contracts::RecordedEvent;
use ordo::event_store::{Bell, Config, Tail};
use uuid::Uuid;

use crate::support::Database;

fn event(position: i64) -> Arc<RecordedEvent> {
    Arc::new(RecordedEvent {
        partition: 0,
        position,
        append_id: Uuid::nil(),
        stream_id: format!("order:{position}"),
        version: 1,
        partition_key: "x".to_owned(),
        event_type: "order.created".to_owned(),
        schema_version: 1,
        payload: "{}".to_owned(),
        meta: "{}".to_owned(),
        recorded_at: ordo::clock::now(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_a_hole_is_handed_out_before_the_hole_is_told() {
    let database = Database::create().await;
    let bell = Bell::new(2);
    let mut tail = Tail::after(0, 0, &bell, database.db.clone(), &Config::default());
    bell.ring(0, [event(1), event(2)].into());
    bell.ring(0, [event(3), event(5)].into());
    let handed: Vec<i64> =
        tail.next(100, Duration::from_millis(50)).await.unwrap().iter().map(|event| event.position).collect();
    assert_eq!((handed, tail.position()), (vec![1, 2], 2));
    database.drop().await;
}
