//! Rebuilt, compared, promoted and taken back, while orders come in.

use serde_json::json;

use super::{SMALL, done, place_many, ready, rebuild, rows, settled, traffic, version, versions};
use crate::support::{TestApp, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn every_read_model_is_rebuilt_equal_promoted_and_taken_back_under_traffic_and_no_query_fails() {
    let app = TestApp::start_with(SMALL).await;
    app.stock("mug", 100, 100_000).await;
    settled(&app, &place_many(&app, 100).await).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let operate = async {
        for name in ["order_view", "product_view", "stock"] {
            let made = rebuild(&app, name).await;
            assert_eq!(made, "1.2");
            let found = ready(&app, name, &made).await;
            assert_eq!(found["rowsDifferent"], 0, "{found}");
            done(&app, "promote", json!({ "projection": name })).await;
            assert_eq!(version(&app, name, &made).await.unwrap()["state"], "active");
            assert_eq!(version(&app, name, "1.1").await.unwrap()["state"], "written");
            settled(&app, &place_many(&app, 5).await).await;
            done(&app, "rollback", json!({ "projection": name })).await;
            assert_eq!(version(&app, name, "1.1").await.unwrap()["state"], "active");
            settled(&app, &place_many(&app, 5).await).await;
        }
        stop.send_replace(true);
    };
    let ((), orders) = tokio::join!(operate, traffic(&app, stopped));
    settled(&app, &orders).await;
    // Both versions are written by the same transactions: they are equal now, without any comparison.
    for name in ["order_view", "product_view", "stock"] {
        eventually("the views have come to rest", async || {
            let (old, new) = (rows(&app, &format!("{name}_v1")).await, rows(&app, &format!("{name}_v1_2")).await);
            (old == new && !old.is_empty()).then_some(())
        })
        .await;
        assert_eq!(versions(&app, name).await.unwrap().len(), 2);
    }
    app.finish().await;
}
