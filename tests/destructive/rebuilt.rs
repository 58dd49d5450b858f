//! Postgres goes away under a rebuild.

use serde_json::json;

use super::servers::{Restart, server};
use crate::read_models::{SMALL, done, place_many, ready, rebuild, rows, settled};
use crate::support::{TestApp, eventually, is_frozen};

/// One in every state: before it begins, with rows written and not committed, between pieces, with indexes made and not
/// committed, under the lock of the attach, in a comparison.
const POINTS: &[&str] = &[
    "rebuild.prepare",
    "rebuild.piece_written@2",
    "rebuild.piece_done@2",
    "rebuild.indexing",
    "rebuild.attaching",
    "rebuild.comparing",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_whose_postgres_is_killed_in_any_state_ends_in_the_same_rows() {
    let mut app = TestApp::start_with(SMALL).await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 100_000).await;
    settled(&app, &place_many(&app, 60).await).await;
    for point in POINTS {
        app.kill().await;
        app.relaunch(&[("ORDO_STOP_AT", point)]);
        app.ready().await;
        let made = rebuild(&app, "stock").await;
        eventually(&format!("it stands at {point}"), async || is_frozen(app.pid()).then_some(())).await;
        {
            let _restart = Restart("postgres");
            server("postgres", "kill");
        }
        app.signal("-CONT");
        let found = ready(&app, "stock", &made).await;
        assert_eq!(found["rowsDifferent"], 0, "{point}: {found}");
        app.ready().await;
        settled(&app, &place_many(&app, 3).await).await;
        let table = format!("stock_v1_{}", made.rsplit('.').next().unwrap());
        eventually(&format!("{point}: both versions hold the same"), async || {
            let (old, new) = (rows(&app, "stock_v1").await, rows(&app, &table).await);
            (old == new && !old.is_empty()).then_some(())
        })
        .await;
        done(&app, "cancel", json!({ "projection": "stock" })).await;
    }
    app.finish().await;
}
