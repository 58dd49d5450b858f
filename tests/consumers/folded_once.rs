//! A consumer that folds what it receives counts each event once: whatever of its memory is gone, and whoever else writes
//! the same rows at the same time.

use ordo::contracts::{Position, RecordedEvent, topics};
use serde_json::json;
use uuid::Uuid;

use super::stage::{Stage, event};

/// An order of a mug for 5 EUR, of one of two customers.
fn created(partition: i16, position: Position) -> RecordedEvent {
    let id = Uuid::new_v4();
    let payload = json!({
        "orderId": id, "userId": format!("user-{}", position % 2), "totalAmount": 500, "currency": "EUR",
        "items": [{ "productId": "mug", "quantity": 1, "unitPrice": 500, "productVersion": 1 }],
        "createdAt": "2026-03-01T12:00:00Z",
    });
    RecordedEvent {
        partition,
        payload: payload.to_string(),
        recorded_at: "2026-03-01T12:00:00.1Z".parse().unwrap(),
        ..event(&format!("order:{id}"), 1, position)
    }
}

impl Stage {
    /// Orders in each of the models that count them.
    async fn counted(&self) -> (i64, i64, i64) {
        sqlx::query_as(
            "select (select sum(placed) from views.daily_revenue_v1)::bigint,
                 (select sum(placed) from views.order_funnel_v1)::bigint,
                 (select sum(orders) from views.customer_value_v1)::bigint",
        )
        .fetch_one(&self.db)
        .await
        .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_or_guard_alone_keep_a_figure_from_counting_twice() {
    for is_ledger in [true, false] {
        let stage = Stage::of("analytics").await;
        let lane = stage.lane(topics::ORDER_EVENTS, 0);
        let epoch = stage.claim(&lane).await.epoch;
        let events: Vec<RecordedEvent> = (1..=20).map(|position| created(0, position)).collect();
        assert_eq!(stage.work_off(&lane, epoch, &events).await.applied, 20);
        if is_ledger {
            stage.forget_guard().await
        } else {
            stage.forget_ledger().await
        }
        let again = stage.work_off(&lane, epoch, &events).await;
        let kept = if is_ledger { again.duplicates } else { again.regressions };
        assert_eq!((again.applied, kept), (0, 20), "by the ledger: {is_ledger}");
        assert_eq!(stage.counted().await, (20, 20, 20));
        stage.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_write_the_same_rows_at_the_same_time_lose_nothing() {
    let stage = Stage::of("analytics").await;
    let lanes = [0, 1].map(|partition| stage.lane(topics::ORDER_EVENTS, partition));
    let work = async |lane: &ordo::subscription::Lane| {
        let epoch = stage.claim(lane).await.epoch;
        // Batches of few, so that both are at the same rows again and again, beginning with the one that makes them.
        for batch in 0..30 {
            let events: Vec<RecordedEvent> = (1..=4).map(|n| created(lane.partition, batch * 4 + n)).collect();
            assert_eq!(stage.work_off(lane, epoch, &events).await.applied, 4);
        }
    };
    tokio::join!(work(&lanes[0]), work(&lanes[1]));
    assert_eq!(stage.counted().await, (240, 240, 240));
    assert_eq!(stage.letters().await, []);
    stage.finish().await;
}
