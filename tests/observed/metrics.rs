use ordo::telemetry::names;
use serde_json::json;

use crate::support::{TestApp, eventually};

/// What is only there once something went wrong, or traces are on.
const ONLY_IN_TROUBLE: &[&str] = &[
    names::ACTOR_CRASHES_TOTAL,
    names::ACTOR_BACKOFFS_TOTAL,
    names::ACTOR_RESTARTS_TOTAL,
    names::SUPERVISOR_ESCALATIONS_TOTAL,
    names::SUPERVISION_FACTS_DROPPED_TOTAL,
    names::COMMANDS_REFUSED_TOTAL,
    names::APPEND_CONFLICTS_TOTAL,
    names::APPEND_RESENT_TOTAL,
    names::RELAY_RESUMED_TOTAL,
    names::RELAY_REPUBLISHED_TOTAL,
    names::TOPICS_MADE_AGAIN_TOTAL,
    names::LEDGER_PURGED_TOTAL,
    names::SUPERVISION_FACTS_PURGED_TOTAL,
    names::EVENTS_DUPLICATE_TOTAL,
    names::EVENTS_FILLED_TOTAL,
    names::DEAD_LETTERS_TOTAL,
    names::STREAMS_PARKED_TOTAL,
    names::BATCHES_FAILED_TOTAL,
    names::ALARMS_TOTAL,
    names::TRACE_SPANS_SENT_TOTAL,
    names::TRACE_SPANS_DROPPED_TOTAL,
];

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_is_on_metrics_once_an_order_is_confirmed() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 5).await;
    let order = app.place("mug", 1).await;
    app.until(order, "confirmed").await;
    for name in names::ALL.iter().filter(|name| !ONLY_IN_TROUBLE.contains(name)) {
        eventually(&format!("{name} is there"), async || {
            app.metrics().await.contains(&format!("# TYPE {name} ")).then_some(())
        })
        .await;
    }
    eventually("everything is published and applied", async || {
        let lags = [names::RELAY_LAG, names::SUBSCRIPTION_LAG, names::SUBSCRIPTION_LAG_SECONDS];
        for name in lags {
            if app.metric(name, &[]).await != Some(0.0) {
                return None;
            }
        }
        Some(())
    })
    .await;
    assert_eq!(app.metric(names::ALARM_STANDING, &[]).await, Some(0.0));
    assert_eq!(app.metric(names::POSTGRES_REACHABLE, &[]).await, Some(1.0));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_relay_has_still_to_do_is_told_although_none_runs() {
    let app = TestApp::start_roles("http").await;
    app.stock("mug", 100, 5).await;
    app.place("mug", 1).await;
    eventually("three events wait to be published", async || {
        (app.metric(names::RELAY_LAG, &[]).await == Some(3.0)).then_some(())
    })
    .await;
    eventually("they grow older", async || app.metric(names::RELAY_LAG_SECONDS, &[]).await.filter(|age| *age > 0.0))
        .await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_consumer_cannot_do_is_told_while_it_tries() {
    let mut app = TestApp::start().await;
    app.tolerates_dead_letters = true;
    app.stock("mug", 100, 5).await;
    let fault = |fault| json!({ "subscription": "notification", "text": "mug", "fault": fault });
    app.fault(&fault("transient")).await;
    app.place("mug", 1).await;
    let mine = &["subscription=\"notification\""];
    eventually("its lag has an age", async || {
        app.metric(names::SUBSCRIPTION_LAG_SECONDS, mine).await.filter(|age| *age > 0.2)
    })
    .await;
    eventually("what it cannot do is counted", async || {
        app.metric(names::DEAD_LETTERS_TOTAL, mine).await.filter(|letters| *letters >= 1.0)
    })
    .await;
    eventually("nothing waits any more", async || {
        (app.metric(names::SUBSCRIPTION_LAG_SECONDS, mine).await == Some(0.0)).then_some(())
    })
    .await;
    app.finish().await;
}
