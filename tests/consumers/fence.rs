//! Only the newest owner of a partition moves anything.

use ordo::contracts::topics;
use ordo::subscription::pass::{PassError, skip};
use ordo::subscription::{Lane, checkpoint};
use uuid::Uuid;

use super::stage::{Stage, event};

/// Everything a pass could have changed: the place, and rows of each table.
async fn rows(stage: &Stage) -> (i64, i64, i64, [i64; 4]) {
    let place = sqlx::query_as("select next_offset, position, epoch from checkpoint where subscription = 'witness'");
    let (next_offset, position, epoch) = place.fetch_one(&stage.db).await.unwrap();
    let mut counts = [0; 4];
    for (count, of) in counts.iter_mut().zip([
        "select count(*) from log",
        "select count(*) from processed_event",
        "select count(*) from stream_seen",
        "select count(*) from dead_letter",
    ]) {
        *count = sqlx::query_scalar(of).fetch_one(&stage.db).await.unwrap();
    }
    (next_offset, position, epoch, counts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_of_an_older_owner_changes_nothing_and_the_newer_owners_commits() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let older = stage.claim(&lane).await.epoch;
    stage.pass(&lane, older, &[event("order:a", 1, 1)]).await.unwrap();
    let newer = stage.claim(&lane).await;
    assert_eq!((newer.next_offset, newer.position), (1, 1), "it goes on where the older one was");
    let before = rows(&stage).await;
    let next = [event("order:a", 2, 2), event("order:b", 1, 3)];
    let passed = stage.pass(&lane, older, &next).await;
    assert!(matches!(passed, Err(PassError::Fenced)), "{passed:?}");
    let skipped = skip(&stage.subscription, &lane, older, (99, 99), &[]).await;
    assert!(matches!(skipped, Err(PassError::Fenced)), "{skipped:?}");
    assert_eq!(rows(&stage).await, before);
    assert_eq!(stage.seen(), ["order:a@1"], "its handler was not even asked");
    assert_eq!(stage.pass(&lane, newer.epoch, &next).await.unwrap().applied, 2);
    assert_eq!(rows(&stage).await, (3, 3, newer.epoch, [3, 3, 2, 0]));
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_owner_neither_keeps_nor_gives_back_the_lease_of_a_newer_one() {
    let stage = Stage::witness().await;
    let lane: Lane = stage.lane(checkpoint::LOG, 0);
    let lease = std::time::Duration::from_secs(60);
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let older = checkpoint::claim_lease(&lane, one, lease, &stage.db).await.unwrap().unwrap();
    assert_eq!(checkpoint::claim_lease(&lane, other, lease, &stage.db).await.unwrap(), None, "while it holds");
    checkpoint::release(&lane, older.epoch, &stage.db).await.unwrap();
    let newer = checkpoint::claim_lease(&lane, other, lease, &stage.db).await.unwrap().unwrap();
    assert!(!checkpoint::renew(&lane, older.epoch, lease, &stage.db).await.unwrap());
    checkpoint::release(&lane, older.epoch, &stage.db).await.unwrap();
    assert_eq!(checkpoint::claim_lease(&lane, one, lease, &stage.db).await.unwrap(), None, "the newer one has it");
    assert!(checkpoint::renew(&lane, newer.epoch, lease, &stage.db).await.unwrap());
    stage.finish().await;
}
