//! Two partitions reserve the same stock at the same time.

use ordo::contracts::{RecordedEvent, topics};
use serde_json::json;
use uuid::Uuid;

use super::stage::{Stage, event};
use crate::support::eventually;

fn created(partition: i16) -> RecordedEvent {
    let order = Uuid::new_v4();
    let payload = json!({ "orderId": order, "items": [{ "productId": "pen", "quantity": 1 }] });
    RecordedEvent { partition, payload: payload.to_string(), ..event(&format!("order:{order}"), 1, 1) }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_orders_that_want_the_last_piece_at_the_same_time_one_gets_it() {
    let stage = Stage::of("inventory").await;
    sqlx::query("insert into views.stock_v1 (product_id, available, reserved, shipped) values ('pen', 1, 0, 0)")
        .execute(&stage.db)
        .await
        .unwrap();
    let lanes = [0, 1].map(|partition| stage.lane(topics::ORDER_EVENTS, partition));
    let epochs = [stage.claim(&lanes[0]).await.epoch, stage.claim(&lanes[1]).await.epoch];
    let orders = [[created(0)], [created(1)]];
    // Somebody holds the row until both passes wait for it: both have seen the piece by then and mean to reserve it.
    let mut holder = stage.db.begin().await.unwrap();
    sqlx::query("select 1 from views.stock_v1 where product_id = 'pen' for update")
        .execute(&mut *holder)
        .await
        .unwrap();
    let both_wait = async {
        eventually("both passes wait for the stock", async || {
            let waiting: i64 = sqlx::query_scalar(
                "select count(distinct pid) from pg_locks join pg_stat_activity using (pid) \
                 where not granted and datname = current_database()",
            )
            .fetch_one(&stage.database.db)
            .await
            .unwrap();
            (waiting == 2).then_some(())
        })
        .await;
        holder.commit().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(
        stage.work_off(&lanes[0], epochs[0], &orders[0]),
        stage.work_off(&lanes[1], epochs[1], &orders[1]),
        both_wait,
    );
    assert_eq!((one.appended, other.appended), (1, 1), "each order is answered");
    assert_eq!((stage.count("inventory.reserved").await, stage.count("inventory.rejected").await), (1, 1));
    let stock: (i64, i64, i64) =
        sqlx::query_as("select available, reserved, shipped from views.stock_v1").fetch_one(&stage.db).await.unwrap();
    assert_eq!(stock, (0, 1, 0));
    stage.finish().await;
}
