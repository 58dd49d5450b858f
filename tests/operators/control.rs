//! The rows behind a pause and a seek, without anybody who obeys them.

use ordo::contracts::topics;
use ordo::subscription::{Lane, checkpoint, control};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Database;

fn lane() -> Lane {
    Lane { subscription: "inventory".to_owned(), source: topics::ORDER_EVENTS.to_owned(), partition: 0 }
}

async fn sought(lane: &Lane, offset: i64, db: &PgPool) -> control::Place {
    let mut tx = db.begin().await.unwrap();
    control::seek(lane, offset, &mut tx).await.unwrap();
    let place = control::place(lane, &mut tx).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seek_fences_who_works_there_and_leaves_what_was_applied() {
    let database = Database::create().await;
    let (db, lane) = (database.service_pool(), lane());
    let worker = checkpoint::claim(&lane, Uuid::new_v4(), &db).await.unwrap();
    let moved = async |epoch, next_offset| {
        let mut db = db.acquire().await.unwrap();
        checkpoint::advance(&lane, epoch, next_offset, 25, None, &mut db).await.unwrap()
    };
    assert!(moved(worker.epoch, 10).await);

    let same = sought(&lane, 10, &db).await;
    assert_eq!((same.next_offset, same.sought_until), (10, None), "nothing comes again");
    let back = sought(&lane, 4, &db).await;
    assert_eq!((back.next_offset, back.position, back.sought_until), (4, 25, Some(10)));
    assert!(!moved(worker.epoch, 11).await, "whoever worked there is fenced");
    let next = checkpoint::claim(&lane, Uuid::new_v4(), &db).await.unwrap();
    assert_eq!((next.next_offset, next.position), (4, 25), "and the next one begins there");
    assert!(next.epoch > back.epoch && back.epoch > worker.epoch);

    let further = sought(&lane, 1, &db).await;
    assert_eq!((further.next_offset, further.sought_until), (1, Some(10)), "up to where it once was");
    db.close().await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_reason_of_a_pause_stays_until_somebody_resumes() {
    let database = Database::create().await;
    let mut db = database.service_pool().acquire().await.unwrap();
    assert!(!control::resume("inventory", &mut db).await.unwrap(), "nothing holds it");
    assert!(control::pause("inventory", "ada", "stocktaking", &mut db).await.unwrap().is_some());
    assert!(control::pause("inventory", "bob", "lunch", &mut db).await.unwrap().is_none());
    let hold = control::held("inventory", &mut db).await.unwrap();
    assert_eq!((hold.paused_by.as_deref(), hold.paused_why.as_deref()), (Some("ada"), Some("stocktaking")));
    assert!(!control::held("orders", &mut db).await.unwrap().holds(), "nobody else is held");
    sqlx::query("update subscription_control set tripped_at = now(), tripped_why = 'all fail'")
        .execute(&database.db)
        .await
        .unwrap();
    sqlx::query(
        "insert into subscription_count (subscription, source, partition, applied, letters)
         values ('inventory', 'order.events', 0, 7, 20), ('inventory', 'order.events', 1, 3, 0)",
    )
    .execute(&database.db)
    .await
    .unwrap();
    assert!(control::resume("inventory", &mut db).await.unwrap());
    let answered: i64 =
        sqlx::query_scalar("select answered_no from subscription_control").fetch_one(&database.db).await.unwrap();
    assert_eq!(answered, 30, "letters until now trip the breaker no more");
    assert!(!control::held("inventory", &mut db).await.unwrap().holds(), "neither pause nor breaker");
    assert!(control::pause("inventory", "bob", "lunch", &mut db).await.unwrap().is_some(), "and again");
    drop(db);
    database.drop().await;
}
