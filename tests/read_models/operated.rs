//! What operators can ask for, what is refused, and what is found.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{SMALL, act, done, place_many, ready, rebuild, rebuild_at, settled, version};
use crate::support::{TestApp, eventually};

/// What the planted defect passes over: the second event of such a stream.
fn is_forgotten(order: Uuid) -> bool {
    format!("order:{order}").bytes().map(u32::from).sum::<u32>() % 50 == 0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_wrong_fold_has_left_out_is_found_by_key_and_holds_the_promotion_until_somebody_accepts_it() {
    let app = TestApp::start_with(&[SMALL[0], ("ORDO_DEFECT", "fold_wrong")]).await;
    app.stock("mug", 100, 100_000).await;
    let mut orders = Vec::new();
    while !orders.iter().copied().any(is_forgotten) {
        orders.extend(place_many(&app, 20).await);
    }
    settled(&app, &orders).await;
    let made = rebuild(&app, "order_view").await;
    let found = ready(&app, "order_view", &made).await;
    let mut wrong: Vec<String> =
        orders.into_iter().filter(|order| is_forgotten(*order)).map(|order| order.to_string()).collect();
    wrong.sort();
    assert_eq!(found["rowsDifferent"], wrong.len());
    let diff: Value = app
        .http
        .get(format!("{}/ops/v1/projections/order_view/diff", app.ops))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let named: Vec<&str> = diff["rows"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(named, wrong);
    assert_eq!(diff["rows"][0]["active"]["status"], "confirmed");
    assert_eq!(diff["rows"][0]["new"]["status"], "processing");

    let (status, answer) = act(&app, "promote", json!({ "projection": "order_view" })).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(answer.to_string().contains("--accept-differences"), "{answer}");
    done(&app, "promote", json!({ "projection": "order_view", "acceptDifferences": true })).await;
    assert_eq!(version(&app, "order_view", &made).await.unwrap()["state"], "active");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_with_the_next_step() {
    let app = TestApp::start_with(SMALL).await;
    app.stock("mug", 100, 100_000).await;
    settled(&app, &place_many(&app, 3).await).await;
    for (verb, args, status, part) in [
        ("rebuild", json!({ "projection": "nonsense" }), StatusCode::NOT_FOUND, "order_view"),
        ("rebuild", json!({ "projection": "order_view", "workers": 65 }), StatusCode::BAD_REQUEST, "1 to 64"),
        ("promote", json!({ "projection": "order_view" }), StatusCode::CONFLICT, "projections rebuild order_view"),
        ("rollback", json!({ "projection": "order_view" }), StatusCode::CONFLICT, "projections rebuild order_view"),
        ("cancel", json!({ "projection": "order_view" }), StatusCode::CONFLICT, "no version"),
        ("pause", json!({ "projection": "order_view" }), StatusCode::CONFLICT, "no rebuild"),
        ("verify", json!({ "projection": "order_view" }), StatusCode::CONFLICT, "projections rebuild order_view"),
    ] {
        let (found, answer) = act(&app, verb, args.clone()).await;
        assert!(
            found == status || status == StatusCode::BAD_REQUEST && found == StatusCode::UNPROCESSABLE_ENTITY,
            "{verb} {args}: {found} {answer}"
        );
        assert!(answer.to_string().contains(part), "{verb} {args}: {answer}");
    }
    let made = rebuild(&app, "order_view").await;
    let (status, answer) = act(&app, "rebuild", json!({ "projection": "order_view" })).await;
    assert_eq!(status, StatusCode::CONFLICT, "{answer}");
    ready(&app, "order_view", &made).await;
    done(&app, "cancel", json!({ "projection": "order_view" })).await;
    eventually("its table is gone", async || {
        let gone: bool = sqlx::query_scalar("select to_regclass('views.order_view_v1_2') is null")
            .fetch_one(&app.database.db)
            .await
            .unwrap();
        gone.then_some(())
    })
    .await;
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from rebuild_piece) + (select count(*) from rebuild_place) + (select count(*) from rebuild_difference)",
    )
    .fetch_one(&app.database.db)
    .await
    .unwrap();
    assert_eq!(left, 0, "a version that was given up leaves nothing behind");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_rebuild_stands_still_over_a_restart_and_goes_on_where_it_was() {
    let mut app = TestApp::start_with(SMALL).await;
    app.tolerates_crashes = true;
    app.stock("mug", 100, 100_000).await;
    settled(&app, &place_many(&app, 60).await).await;
    // So slow that it is in the middle when it is paused.
    eventually("a rebuild is started", async || {
        let args = json!({ "projection": "order_view", "rate": 200, "workers": 1 });
        act(&app, "rebuild", args).await.0.is_success().then_some(())
    })
    .await;
    done(&app, "pause", json!({ "projection": "order_view" })).await;
    app.kill().await;
    app.relaunch(&[]);
    app.ready().await;
    let paused = version(&app, "order_view", "1.2").await.unwrap();
    assert_eq!((paused["state"].clone(), paused["why"].clone()), (json!("paused"), json!("local: a test")));
    done(&app, "pace", json!({ "projection": "order_view", "rate": 0, "workers": 4 })).await;
    done(&app, "resume", json!({ "projection": "order_view" })).await;
    let found = ready(&app, "order_view", "1.2").await;
    assert_eq!(found["rowsDifferent"], 0, "{found}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_row_is_made_anew_in_place_while_orders_come_in_and_says_whether_it_was_wrong() {
    let app = TestApp::start_with(SMALL).await;
    app.stock("mug", 100, 100_000).await;
    let orders = place_many(&app, 5).await;
    settled(&app, &orders).await;
    let (wrong, right) = (orders[0], orders[1]);
    let made = rebuild(&app, "order_view").await;
    ready(&app, "order_view", &made).await;
    let service = app.database.service_pool();
    for table in ["order_view_v1", "order_view_v1_2"] {
        let damage = format!("update views.{table} set status = 'delivered' where order_id = $1");
        sqlx::query(sqlx::AssertSqlSafe(damage)).bind(wrong).execute(&service).await.unwrap();
    }
    service.close().await;
    let (renewed, orders) = tokio::join!(
        done(&app, "renew", json!({ "projection": "order_view", "key": wrong.to_string() })),
        place_many(&app, 20)
    );
    assert_eq!(renewed["changed"], json!(["1.1", "1.2"]), "{renewed}");
    assert_eq!(app.order(wrong).await.unwrap()["status"], "confirmed");
    let same = done(&app, "renew", json!({ "projection": "order_view", "key": right.to_string() })).await;
    assert_eq!(same["changed"], json!([]), "{same}");
    settled(&app, &orders).await;
    let mail = format!("{right}/order_created");
    let told = done(&app, "renew", json!({ "projection": "notifications", "key": mail })).await;
    assert_eq!((&told["changed"], &told["events"]), (&json!([]), &json!(1)), "{told}");
    for (projection, key, status, part) in [
        ("order_view", Uuid::nil().to_string(), StatusCode::NOT_FOUND, "no event of order:0000"),
        ("order_view", "%".to_owned(), StatusCode::NOT_FOUND, "no event"),
        ("stock", "mug".to_owned(), StatusCode::UNPROCESSABLE_ENTITY, "projections rebuild stock"),
        ("daily_revenue", "today".to_owned(), StatusCode::UNPROCESSABLE_ENTITY, "many streams"),
        ("nonsense", "x".to_owned(), StatusCode::NOT_FOUND, "order_view"),
    ] {
        let (found, answer) = act(&app, "renew", json!({ "projection": projection, "key": key })).await;
        assert!(found == status || found == StatusCode::BAD_REQUEST, "{projection} {key}: {found} {answer}");
        assert!(answer.to_string().contains(part), "{projection} {key}: {answer}");
    }
    app.finish().await;
}

/// An older build beside this one, as far as rows tell of it: it says of itself which version of the code it folds.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_waits_for_a_process_whose_build_cannot_fold_it_and_names_it_while_everything_goes_on() {
    let app = TestApp::start_with(SMALL).await;
    app.stock("mug", 100, 1000).await;
    settled(&app, &place_many(&app, 10).await).await;
    let older = "insert into read_model_code (node_id, node, name, version, seen_at)
        values ($1, 'the-older-one', 'order_view', 0, clock_timestamp() + interval '1 hour')";
    let node = Uuid::new_v4();
    sqlx::query(older).bind(node).execute(&app.database.db).await.unwrap();
    let made = rebuild(&app, "order_view").await;
    let held = eventually("it says for whom it waits", async || {
        let version = version(&app, "order_view", &made).await?;
        assert_ne!(version["phase"], "ready", "it was attached while an older build writes: {version}");
        (version["state"] == "held").then_some(version)
    })
    .await;
    let why = held["why"].as_str().unwrap();
    assert!(why.contains("the-older-one cannot fold version 1") && why.contains("older build"), "{held}");
    settled(&app, &place_many(&app, 3).await).await;
    sqlx::query("delete from read_model_code where node_id = $1").bind(node).execute(&app.database.db).await.unwrap();
    let found = ready(&app, "order_view", &made).await;
    assert_eq!(found["rowsDifferent"], 0, "{found}");
    done(&app, "cancel", json!({ "projection": "order_view" })).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_ahead_of_its_pace_hears_another_one_at_once() {
    // One piece a partition.
    let app = TestApp::start().await;
    app.stock("mug", 100, 100_000).await;
    settled(&app, &place_many(&app, 60).await).await;
    // At one event a second, what the first hand folds is worth more than the patience of a test.
    let made = rebuild_at(&app, "order_view", 1).await;
    let folded = eventually("something is folded", async || {
        version(&app, "order_view", &made).await.filter(|version| version["percent"].as_f64() > Some(0.0))
    })
    .await;
    assert_ne!(folded["phase"], "ready", "{folded}");
    let runs_until = async || -> DateTime<Utc> {
        let query = "select runs_until from rebuild where name = 'order_view' and phase not in ('ready', 'ended')";
        sqlx::query_scalar(query).fetch_one(&app.database.db).await.expect("it is still under way")
    };
    let first = runs_until().await;
    let is_later = |until: DateTime<Utc>| (until > first + TimeDelta::seconds(5)).then_some(());
    eventually("it keeps its lease while it waits", async || is_later(runs_until().await)).await;
    done(&app, "pace", json!({ "projection": "order_view", "rate": 0 })).await;
    let found = ready(&app, "order_view", &made).await;
    assert_eq!(found["rowsDifferent"], 0, "{found}");
    app.finish().await;
}
