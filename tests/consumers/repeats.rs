use crate::support::{TestApp, eventually};

/// Everything is published again, and nothing takes effect twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_set_back_to_zero_publishes_all_again_without_a_second_effect() {
    let mut app = TestApp::start().await;
    app.stock("mug", 100, 100).await;
    for _ in 0..10 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    app.signal("-TERM");
    app.ended().await;
    let heads: i64 =
        sqlx::query_scalar("select sum(position)::bigint from log_head").fetch_one(&app.database.db).await.unwrap();
    sqlx::query("update checkpoint set position = 0, next_offset = 0 where subscription = 'relay'")
        .execute(&app.database.db)
        .await
        .unwrap();
    app.restart_with(&[]).await;
    eventually("the relay has published all again", async || {
        let place: i64 = sqlx::query_scalar(
            "select coalesce(sum(position), 0)::bigint from checkpoint where subscription = 'relay' and source = 'log'",
        )
        .fetch_one(&app.database.db)
        .await
        .unwrap();
        (place >= heads).then_some(())
    })
    .await;
    let id = app.place("mug", 1).await;
    app.until(id, "confirmed").await;
    assert_eq!(app.stock_of("mug").await, (89, 11, 0));
    assert_eq!(app.count("inventory.reserved").await, 11);
    assert_eq!(app.count("order.confirmed").await, 11);
    app.finish().await;
}

/// The ledger and the guard hold even where the place is lost: a consumer that reads its topic anew applies nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_set_back_to_zero_reads_all_again_without_a_second_effect() {
    let mut app = TestApp::start().await;
    app.stock("mug", 100, 100).await;
    for _ in 0..10 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
    }
    app.signal("-TERM");
    app.ended().await;
    sqlx::query("update checkpoint set position = 0, next_offset = 0 where subscription in ('inventory', 'orders', 'notification')")
        .execute(&app.database.db)
        .await
        .unwrap();
    app.restart_with(&[]).await;
    let id = app.place("mug", 1).await;
    app.until(id, "confirmed").await;
    assert_eq!(app.stock_of("mug").await, (89, 11, 0));
    assert_eq!(app.count("inventory.reserved").await, 11);
    eventually("one notification for each cause", async || {
        (app.count("notification.requested").await == 22).then_some(())
    })
    .await;
    app.finish().await;
}
