//! Killed between any two steps, a rebuild ends in the same rows.

use serde_json::json;

use super::{SMALL, done, place_many, ready, rebuild, rows, settled, version};
use crate::support::{TestApp, eventually, is_frozen};

const POINTS: &[&str] = &[
    "rebuild.prepare",
    "rebuild.bulk@2",
    "rebuild.piece_read@2",
    "rebuild.piece_written@2",
    "rebuild.piece_done@2",
    "rebuild.index",
    "rebuild.indexing",
    "rebuild.indexed",
    "rebuild.catch_up",
    "rebuild.attaching",
    "rebuild.attached",
    "rebuild.verify",
    "rebuild.comparing",
    "rebuild.compared",
];

async fn killed_everywhere(name: &str) {
    // Killed far more often than anywhere else, and never because of an event.
    let mut app = TestApp::start_with(&[SMALL[0], ("ORDO_SUBSCRIPTION__SUSPECT_WAIT", "1s")]).await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 100_000).await;
    settled(&app, &place_many(&app, 60).await).await;
    app.kill().await;
    for point in POINTS {
        app.relaunch(&[("ORDO_CRASH_AT", point)]);
        app.ready().await;
        let made = rebuild(&app, name).await;
        app.ended().await;
        app.relaunch(&[]);
        app.ready().await;
        let orders = place_many(&app, 3).await;
        let found = ready(&app, name, &made).await;
        assert_eq!(found["rowsDifferent"], 0, "{point}: {found}");
        settled(&app, &orders).await;
        let table = format!("{name}_v1_{}", made.rsplit('.').next().unwrap());
        eventually(&format!("{point}: both versions hold the same"), async || {
            let (old, new) = (rows(&app, &format!("{name}_v1")).await, rows(&app, &table).await);
            (old == new && !old.is_empty()).then_some(())
        })
        .await;
        done(&app, "cancel", json!({ "projection": name })).await;
        let state = version(&app, name, &made).await.unwrap()["state"].clone();
        assert!(state == "left_behind" || state == "retired", "{state}");
        app.kill().await;
    }
    app.relaunch(&[]);
    app.ready().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_of_rows_of_their_own_killed_between_any_two_steps_ends_in_the_same_rows() {
    killed_everywhere("order_view").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_of_shared_rows_killed_between_any_two_steps_ends_in_the_same_rows() {
    killed_everywhere("stock").await;
}

/// Raised by a row of the new table as by a disk: nothing else of the database is out of room.
const FULL: &str = "create function views.no_room() returns trigger language plpgsql as $$ begin
    raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$";

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_without_room_says_so_and_goes_on_once_there_is_some() {
    let mut app = TestApp::start_with(SMALL).await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 1000).await;
    settled(&app, &place_many(&app, 20).await).await;
    app.kill().await;
    app.relaunch(&[("ORDO_STOP_AT", "rebuild.bulk")]);
    app.ready().await;
    let made = rebuild(&app, "order_view").await;
    eventually("the table is made and empty", async || is_frozen(app.pid()).then_some(())).await;
    let table = format!("order_view_v1_{}", made.rsplit('.').next().unwrap());
    let service = app.database.service_pool();
    for statement in [
        FULL.to_owned(),
        format!("create trigger no_room before insert on views.{table} for each row execute function views.no_room()"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&service).await.unwrap();
    }
    app.signal("-CONT");
    let held = eventually("it says why it waits", async || {
        let version = version(&app, "order_view", &made).await?;
        (version["state"] == "held").then_some(version)
    })
    .await;
    assert!(held["why"].as_str().unwrap().contains("No space left on device"), "{held}");
    // Whoever asks is served by the version in use.
    settled(&app, &place_many(&app, 3).await).await;
    sqlx::raw_sql("drop function views.no_room cascade").execute(&service).await.unwrap();
    service.close().await;
    let found = ready(&app, "order_view", &made).await;
    assert_eq!(found["rowsDifferent"], 0, "{found}");
    assert_eq!(rows(&app, "order_view_v1").await, rows(&app, &table).await);
    done(&app, "cancel", json!({ "projection": "order_view" })).await;
    app.finish().await;
}
