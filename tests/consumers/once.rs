//! Ledger and guard, each where it alone stands between an event and a second effect.

use ordo::contracts::topics;
use ordo::subscription::pass::Passed;
use ordo::telemetry::alarm;
use uuid::Uuid;

use super::stage::{Stage, event};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_the_ledger_knows_has_no_second_effect_though_place_and_guard_would_let_it_pass() {
    let stage = Stage::witness().await;
    let own = stage.lane(topics::ORDER_EVENTS, 0);
    let first = [event("order:a", 1, 1)];
    let epoch = stage.claim(&own).await.epoch;
    assert_eq!(stage.pass(&own, epoch, &first).await.unwrap().applied, 1);
    stage.forget_guard().await;
    // The topic of its own name: another place, which has seen nothing.
    let mirrored = stage.lane("order.created", 0);
    let epoch = stage.claim(&mirrored).await.epoch;
    let passed = stage.pass(&mirrored, epoch, &first).await.unwrap();
    assert_eq!(passed, Passed { duplicates: 1, ..Passed::default() });
    assert_eq!(stage.seen(), ["order:a@1"]);
    assert_eq!(stage.count("notification.requested").await, 1);
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_behind_its_stream_has_no_second_effect_though_the_ledger_has_forgotten_it() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let epoch = stage.claim(&lane).await.epoch;
    let events = [event("order:a", 1, 1), event("order:a", 2, 2)];
    assert_eq!(stage.pass(&lane, epoch, &events).await.unwrap().applied, 2);
    stage.forget_ledger().await;
    let passed = stage.pass(&lane, epoch, &events[..1]).await.unwrap();
    assert_eq!(passed, Passed { regressions: 1, ..Passed::default() });
    // The guard was not set back by it: the same again, and what follows passes.
    stage.forget_ledger().await;
    assert_eq!(stage.pass(&lane, epoch, &events).await.unwrap().regressions, 2);
    assert_eq!(stage.pass(&lane, epoch, &[event("order:a", 3, 3)]).await.unwrap().applied, 1);
    assert_eq!(stage.seen(), ["order:a@1", "order:a@2", "order:a@3"]);
    assert_eq!(stage.count("notification.requested").await, 3);
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_came_sets_its_stream_aside_with_an_alarm_and_all_others_pass() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let epoch = stage.claim(&lane).await.epoch;
    // Alarms are the process': a stream nobody else has.
    let (holed, whole) = (format!("order:{}", Uuid::new_v4()), "order:whole");
    let events = [
        event(&holed, 1, 1),
        event(whole, 1, 2),
        event(&holed, 3, 3),
        event(&holed, 4, 4),
        event(whole, 2, 5),
        event(&holed, 5, 6),
    ];
    let passed = stage.work_off(&lane, epoch, &events).await;
    assert_eq!((passed.applied, passed.parked, passed.letters), (3, 3, 0));
    let applied = [(&*holed, 1), (whole, 1), (whole, 2)];
    assert_eq!(stage.seen(), applied.map(|(stream, version)| format!("{stream}@{version}")));
    assert_eq!(stage.count("notification.requested").await, 3);
    let alarm = alarm::standing().into_iter().find(|alarm| alarm.place == holed).expect("the gap is an alarm");
    let why = format!("version 3 of {holed} came where 2 should have; versions are missing");
    assert_eq!((alarm.code, alarm.why), (alarm::STREAM_GAP, why));
    stage.finish().await;
}
