use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::clock;
use crate::ops::owner::Owner;
use crate::ops::questions::consumers::Behind;
use crate::subscription::overview::{Counts, Parked};

fn summary(state: ConsumerState, why: Option<&str>, events: i64, trend: Direction) -> Summary {
    let lag = Behind { events, is_more: false, parked_events: 0, seconds: None, trend, catch_up_seconds: None };
    Summary {
        consumer: "inventory".to_owned(),
        state,
        why: why.map(str::to_owned),
        since: None,
        lag,
        unowned: Vec::new(),
        parked: Parked::default(),
        open_letters: 0,
        counts: Counts::default(),
        claims: 1,
    }
}

fn group(waiting: i64) -> Group {
    let now = clock::now();
    Group {
        consumer: "inventory".to_owned(),
        fingerprint: "3f9c".to_owned(),
        letters: 3,
        streams: 3,
        waiting,
        event_type: Some("order.created".to_owned()),
        stage: "handle".to_owned(),
        error_type: "poison".to_owned(),
        origin: "order.events".to_owned(),
        error: "no quantity".to_owned(),
        first_failed_at: now,
        last_failed_at: now,
    }
}

fn partition(waits: Option<f64>, is_led: bool) -> relay::Partition {
    relay::Partition {
        key: "partition-0".to_owned(),
        partition: 0,
        head: 10,
        published: 3,
        behind: 7,
        oldest_seconds: waits,
        owner: Owner { node: Some("shop-1".to_owned()), is_alive: true, silent_since: None },
        is_led,
        epoch: Some(1),
        moved_at: None,
    }
}

fn node(name: &str, life: Life, silent_seconds: f64) -> Seen {
    Seen {
        node_id: Uuid::new_v4(),
        name: name.to_owned(),
        life,
        roles: vec!["http".to_owned()],
        build: "1".to_owned(),
        address: "127.0.0.1:8081".to_owned(),
        started_at: clock::now(),
        heartbeat_at: clock::now() - TimeDelta::seconds(60),
        silent_seconds,
        clock_ahead_ms: 0,
    }
}

/// Urgency and sentence of each need, in order.
fn told(facts: &Facts) -> Vec<(Urgency, String)> {
    of(facts).into_iter().map(|need| (need.urgency, need.sentence)).collect()
}

#[test]
fn where_all_is_well_nobody_needs_to_act() {
    let facts = Facts {
        findings: vec![Finding::ok("postgres", "version 17", "an answer")],
        consumers: vec![summary(ConsumerState::Running, None, 5, Direction::Growing)],
        relay: Some(relay::Answer { behind: 7, partitions: vec![partition(Some(2.0), true)], topics: Vec::new() }),
        nodes: vec![node("a", Life::Alive, 0.0), node("b", Life::Stopped, 60.0)],
        ..Facts::default()
    };
    assert_eq!(told(&facts), []);
    assert_eq!(verdict(&of(&facts)), "Nobody needs to act.");
}

#[test]
fn what_stands_still_comes_before_what_may_wait() {
    let facts = Facts {
        consumers: vec![
            summary(ConsumerState::Paused, Some("ada: stocktaking"), 9, Direction::Growing),
            Summary {
                consumer: "orders".to_owned(),
                ..summary(ConsumerState::Tripped, Some("9 of 10 failed"), 7, Direction::Steady)
            },
        ],
        groups: vec![group(0), Group { fingerprint: "77aa".to_owned(), ..group(4) }],
        ..Facts::default()
    };
    let told = told(&facts);
    let urgencies: Vec<Urgency> = told.iter().map(|(urgency, _)| *urgency).collect();
    assert_eq!(urgencies, [Urgency::Act, Urgency::Act, Urgency::Look, Urgency::Look]);
    for (index, words) in [
        "breaker has stopped orders: 9 of 10 failed",
        "4 events of their streams wait",
        "paused by ada: stocktaking",
        "gave up on 3 of order.created",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(told[index].1.contains(words), "{words}: {}", told[index].1);
    }
    assert_eq!(verdict(&of(&facts)), "2 things need you.");
}

#[test]
fn a_verdict_counts_what_is_urgent_and_says_when_nothing_is() {
    let look = |number: usize| vec![letters(&group(0)); number];
    assert_eq!(verdict(&look(1)), "Nobody needs to act now; one thing is worth a look.");
    assert_eq!(verdict(&look(3)), "Nobody needs to act now; 3 things are worth a look.");
    assert_eq!(verdict(&[letters(&group(1)), letters(&group(0))]), "One thing needs you.");
}

#[test]
fn an_event_that_waits_for_the_relay_is_told_once_it_is_not_on_its_way_any_more() {
    assert_eq!(unpublished(&partition(None, true)), None);
    assert_eq!(unpublished(&partition(Some(UNPUBLISHED), true)), None);
    let led = unpublished(&partition(Some(40.0), true)).expect("it waits too long");
    assert!(led.sentence.contains("7 events wait, the oldest for 40 s, and shop-1 publishes it"), "{}", led.sentence);
    let nobody = unpublished(&partition(Some(40.0), false)).expect("it waits too long");
    assert!(nobody.sentence.ends_with("and nobody publishes it."), "{}", nobody.sentence);
}

#[test]
fn a_lag_is_told_only_if_it_is_great_and_grows() {
    let told = |events, trend| consumer(&summary(ConsumerState::Running, None, events, trend)).is_some();
    assert!(told(GROWING, Direction::Growing));
    assert!(
        !told(GROWING - 1, Direction::Growing)
            && !told(GROWING, Direction::Falling)
            && !told(GROWING, Direction::Unknown)
    );
}

#[test]
fn a_process_that_went_is_told_unless_it_is_back_by_name_or_long_gone() {
    let told = |seen: &[Seen]| nodes(seen).map(|need| need.sentence).collect::<Vec<_>>();
    let gone = node("a", Life::Unknown, 42.0);
    assert!(told(std::slice::from_ref(&gone))[0].contains("a for 42 s"));
    assert!(told(&[gone.clone(), node("a", Life::Alive, 0.0)]).is_empty());
    assert!(told(&[Seen { silent_seconds: FORGOTTEN, ..gone }]).is_empty());
}

#[test]
fn alarms_and_actors_are_told_by_themselves_and_not_again_as_findings() {
    let findings = ["alarm log_hole", "actors"].map(|name| Finding::down(name, "seen", "not seen", "look"));
    assert_eq!(told(&Facts { findings: findings.into(), ..Facts::default() }), []);
    let kafka = Finding::degraded("kafka", "no answer", "an answer", "start it");
    let told = told(&Facts { findings: vec![kafka], ..Facts::default() });
    assert_eq!(told, [(Urgency::Look, "kafka: no answer; expected: an answer.".to_owned())]);
}
