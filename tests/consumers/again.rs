//! Events that come again are known, counted by cause, and noted in the ledger.

use ordo::contracts::topics;
use ordo::subscription::admit::Repeat;
use ordo::subscription::pass::skip;

use super::stage::{Stage, event};

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_counted_by_cause_and_the_ledger_says_how_often_each_came_again() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let epoch = stage.claim(&lane).await.epoch;
    let events = [event("order:a", 1, 1), event("order:b", 1, 2)];
    stage.work_off(&lane, epoch, &events).await;
    let [a, b] = [events[0].id(), events[1].id()];
    // The stage's events lie at the offset before their position.
    let repeats = [
        Repeat { event_id: a, offset: 0, is_sought: false },
        Repeat { event_id: a, offset: 7, is_sought: false },
        Repeat { event_id: b, offset: 8, is_sought: false },
        Repeat { event_id: b, offset: 1, is_sought: true },
    ];
    skip(&stage.subscription, &lane, epoch, (9, 2), &repeats[..1]).await.unwrap();
    skip(&stage.subscription, &lane, epoch, (9, 2), &repeats[1..]).await.unwrap();
    let of_ledger: Vec<(i32, String)> =
        sqlx::query_as("select duplicates, last_cause from processed_event order by source_offset")
            .fetch_all(&stage.db)
            .await
            .unwrap();
    assert_eq!(of_ledger, [(2, "republication".to_owned()), (2, "republication".to_owned())]);
    let counts: (i64, i64, i64, i64) =
        sqlx::query_as("select applied, redelivered, republished, replayed from subscription_count")
            .fetch_one(&stage.db)
            .await
            .unwrap();
    assert_eq!(counts, (2, 1, 2, 1));
    stage.finish().await;
}
