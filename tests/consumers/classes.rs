//! Each class of failure, made for real: what cannot be read, what is in the way, what kills.

use ordo::event_store::{Append, NewEvent, append};
use serde_json::json;
use uuid::Uuid;

use crate::support::{TestApp, eventually, wish};

impl TestApp {
    /// An event of an order as a build might have written it that this one knows nothing of.
    async fn append_raw(&self, schema_version: u16, payload: &str) -> String {
        let order = Uuid::new_v4();
        let append = Append {
            append_id: Uuid::new_v4(),
            stream_id: format!("order:{order}"),
            partition: self.database.partitions.of(&order.to_string()),
            partition_key: order.to_string(),
            expected_version: 0,
            events: vec![NewEvent { event_type: "order.created", schema_version, payload: payload.to_owned() }],
            meta: "{}".to_owned(),
        };
        let stream_id = append.stream_id.clone();
        let mut db = self.database.db.acquire().await.unwrap();
        append::within(&mut db, &[append]).await.unwrap();
        stream_id
    }

    async fn letters_of(&self, stream: &str) -> Vec<(String, String, String, String)> {
        sqlx::query_as(
            "select subscription, class, stage, error_type from dead_letter where stream_id = $1 order by subscription",
        )
        .bind(stream)
        .fetch_all(&self.database.db)
        .await
        .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_the_log_that_no_consumer_can_read_is_a_letter_of_each_and_costs_nobody_else_anything() {
    // A view would stop before such an event: it is not for views that this is asked.
    let mut app = TestApp::start_roles("http,relay,inventory,orders,notification").await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 10).await;
    let whole = json!({ "orderId": Uuid::new_v4(), "userId": "ada", "items": [] }).to_string();
    let cases = [
        (app.append_raw(1, "{}").await, "serde_json::Error"),
        (app.append_raw(1, "no json").await, "serde_json::Error"),
        (app.append_raw(99, &whole).await, "ordo::TooNew"),
    ];
    for (stream, error_type) in &cases {
        let letters = eventually("each consumer has given it up", async || {
            let letters = app.letters_of(stream).await;
            (letters.len() == 2).then_some(letters)
        })
        .await;
        let expected = ["inventory", "notification"]
            .map(|consumer| (consumer.to_owned(), "poison".to_owned(), "decode".to_owned(), (*error_type).to_owned()));
        assert_eq!(letters, expected);
    }
    for _ in 0..4 {
        app.place("mug", 1).await;
    }
    eventually("others are confirmed", async || (app.count("order.confirmed").await == 4).then_some(())).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stands_in_the_way_delays_a_consumer_and_costs_no_event_anything() {
    let app = TestApp::start_with(&[("ORDO_POSTGRES__LOCK_TIMEOUT", "200ms")]).await;
    app.stock("mug", 100, 50).await;
    // Read models are tables of the service's own.
    let service = app.database.service_pool();
    let mut held = service.begin().await.unwrap();
    sqlx::query("lock table views.stock_v1 in exclusive mode").execute(&mut *held).await.unwrap();
    let mut orders = Vec::new();
    for _ in 0..10 {
        orders.push(app.place("mug", 1).await);
    }
    let mine = &["subscription=\"inventory\"", "class=\"contended\""];
    eventually("it has met the lock", async || {
        app.metric(ordo::telemetry::names::BATCHES_FAILED_TOTAL, mine).await.filter(|failed| *failed >= 2.0)
    })
    .await;
    held.rollback().await.unwrap();
    service.close().await;
    for order in orders {
        app.until(order, "confirmed").await;
    }
    assert_eq!(app.stock_of("mug").await, (40, 10, 0));
    eventually("no try is remembered", async || {
        let left: i64 =
            sqlx::query_scalar("select count(*) from event_attempt").fetch_one(&app.database.db).await.unwrap();
        (left == 0).then_some(())
    })
    .await;
    app.finish().await;
}

/// Killed again and again for no fault of theirs, no event is given up and none is charged.
#[tokio::test(flavor = "multi_thread")]
async fn kills_that_no_event_is_to_blame_for_never_dead_letter_any() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1000).await;
    let mut placed = 0;
    for round in 0..6 {
        // At another moment of its work each time.
        for _ in 0..10 + 3 * round {
            eventually("an order is accepted", async || {
                let answer = app.http.post(format!("{}/v1/orders", app.url)).json(&wish("mug", 1)).send().await.ok()?;
                (answer.status() == 202).then_some(())
            })
            .await;
            placed += 1;
        }
        app.kill().await;
        app.relaunch(&[]);
    }
    eventually("every order is confirmed", async || (app.count("order.confirmed").await == placed).then_some(())).await;
    assert_eq!(app.stock_of("mug").await, (1000 - placed, placed, 0));
    let charged: i64 = sqlx::query_scalar("select count(*) from event_attempt where deaths > 1")
        .fetch_one(&app.database.db)
        .await
        .unwrap();
    assert_eq!(charged, 0);
    app.finish().await;
}
