use crate::support::{TestApp, eventually};

/// The process is killed once at each point of a consumer's transaction; nothing is lost and nothing happens twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_between_any_two_steps_of_a_consumers_transaction_loses_and_repeats_nothing() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1000).await;
    let mut orders = Vec::new();
    for point in ordo::faults::POINTS.iter().filter(|point| point.starts_with("pass.")) {
        app.signal("-TERM");
        app.ended().await;
        // The second pass: the first may be another's. It may come before the process is ready.
        app.relaunch(&[("ORDO_CRASH_AT", &format!("{point}@2"))]);
        app.ready_or_ended().await;
        let body = serde_json::json!({ "userId": "ada", "items": [{ "productId": "mug", "quantity": 1 }] });
        for n in 0..3 {
            let key = format!("{point}-{n}");
            let request = app.http.post(format!("{}/v1/orders", app.url)).header("idempotency-key", &key).json(&body);
            // The process may end while it answers: what was accepted is found below by its key.
            _ = request.send().await;
        }
        app.ended().await;
        app.restart_with(&[]).await;
        for n in 0..3 {
            let key = format!("{point}-{n}");
            let request = app.http.post(format!("{}/v1/orders", app.url)).header("idempotency-key", &key).json(&body);
            let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
            orders.push(answer["orderId"].as_str().unwrap().parse::<uuid::Uuid>().unwrap());
        }
    }
    for order in &orders {
        app.until(*order, "confirmed").await;
    }
    let placed = i64::try_from(orders.len()).unwrap();
    assert_eq!(app.stock_of("mug").await, (1000 - placed, placed, 0));
    assert_eq!(app.count("inventory.reserved").await, placed);
    assert_eq!(app.count("order.confirmed").await, placed);
    eventually("every notification was requested once", async || {
        (app.count("notification.requested").await == 2 * placed).then_some(())
    })
    .await;
    app.finish().await;
}
