use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

/// A node whose warm state is old reads the log before it says no.
#[tokio::test(flavor = "multi_thread")]
async fn a_stale_warm_state_on_a_second_node_never_refuses_wrongly() {
    let app = TestApp::start_with(&[("ORDO_AGGREGATES__IDLE", "100ms")]).await;
    app.stock("mug", 100, 100).await;
    let other = app.second_node("http").await;
    for _ in 0..5 {
        let id = app.place("mug", 1).await;
        app.until(id, "confirmed").await;
        // The second node learns the order as confirmed: it refuses to deliver what has not been shipped.
        let early =
            other.http.post(format!("{}/v1/orders/{id}/deliver", other.url)).json(&json!({})).send().await.unwrap();
        assert_eq!(early.status(), StatusCode::CONFLICT);
        assert_eq!(app.post(&format!("/v1/orders/{id}/ship"), &json!({})).await.status(), StatusCode::ACCEPTED);
        // Now its state is stale, live or warm: still it must not refuse.
        let now =
            other.http.post(format!("{}/v1/orders/{id}/deliver", other.url)).json(&json!({})).send().await.unwrap();
        let status = now.status();
        let answer: Value = now.json().await.unwrap();
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    }
    app.finish().await;
}
