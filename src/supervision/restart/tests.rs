use proptest::prelude::*;

use super::*;

const POLICY: Policy = Policy {
    max_restarts: 3,
    window: Duration::from_secs(60),
    backoff_min: Duration::from_millis(100),
    backoff_max: Duration::from_secs(5),
    reset_after: Duration::from_secs(30),
};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_bug_restarts_at_once_then_after_pauses_then_escalates() {
    let mut record = Record::default();
    let mut crash = |at| record.decide(&POLICY, CauseClass::Bug, seconds(at), 1.0);
    assert_eq!(crash(1), Verdict { decision: Decision::RestartNow, budget_left: 2 });
    assert_eq!(crash(2), Verdict { decision: Decision::RestartAfter(Duration::from_millis(100)), budget_left: 1 });
    assert_eq!(crash(3), Verdict { decision: Decision::RestartAfter(Duration::from_millis(200)), budget_left: 0 });
    assert_eq!(crash(4), Verdict { decision: Decision::Escalate, budget_left: 0 });
}

#[test]
fn a_dependency_that_is_down_spends_nothing() {
    let mut record = Record::default();
    for at in 1..100 {
        let verdict = record.decide(&POLICY, CauseClass::DependencyDown, seconds(at), 0.5);
        assert!(matches!(verdict.decision, Decision::RestartAfter(_)));
        assert_eq!(verdict.budget_left, POLICY.max_restarts);
    }
}

#[test]
fn calm_begins_the_pauses_anew_but_gives_back_no_budget_before_the_window() {
    let mut record = Record::default();
    record.decide(&POLICY, CauseClass::Bug, seconds(1), 1.0);
    record.decide(&POLICY, CauseClass::Bug, seconds(2), 1.0);
    let verdict = record.decide(&POLICY, CauseClass::Bug, seconds(33), 1.0);
    assert_eq!(verdict, Verdict { decision: Decision::RestartNow, budget_left: 0 });
}

#[test]
fn a_policy_without_restarts_escalates_the_first_bug() {
    let policy = Policy { max_restarts: 0, ..POLICY };
    let verdict = Record::default().decide(&policy, CauseClass::Poison, seconds(1), 0.0);
    assert_eq!(verdict.decision, Decision::Escalate);
}

prop_compose! {
    fn any_policy()(
        max_restarts in 0_u32..6,
        window in 1_u64..120_000,
        backoff_min in 1_u64..2_000,
        backoff_more in 0_u64..60_000,
        reset_after in 1_u64..120_000,
    ) -> Policy {
        Policy {
            max_restarts,
            window: Duration::from_millis(window),
            backoff_min: Duration::from_millis(backoff_min),
            backoff_max: Duration::from_millis(backoff_min + backoff_more),
            reset_after: Duration::from_millis(reset_after),
        }
    }
}

fn any_class() -> impl Strategy<Value = CauseClass> {
    proptest::sample::select(CauseClass::ALL.to_vec())
}

/// Crashes with the pause before each.
fn any_crashes() -> impl Strategy<Value = Vec<(u64, CauseClass, f64)>> {
    proptest::collection::vec((0_u64..40_000, any_class(), 0.0_f64..1.0), 1..60)
}

proptest! {
    #[test]
    fn no_window_ever_holds_more_than_the_allowed_restarts(policy in any_policy(), crashes in any_crashes()) {
        let (mut record, mut now, mut spent) = (Record::default(), Duration::ZERO, Vec::new());
        for (pause, class, jitter) in crashes {
            now += Duration::from_millis(pause);
            let verdict = record.decide(&policy, class, now, jitter);
            if class != CauseClass::DependencyDown && verdict.decision != Decision::Escalate {
                spent.push(now);
            }
            let within = spent.iter().filter(|&&at| now - at < policy.window).count();
            prop_assert!(within <= policy.max_restarts as usize);
            prop_assert_eq!(verdict.budget_left as usize, policy.max_restarts as usize - within);
        }
    }

    #[test]
    fn it_escalates_only_with_the_budget_spent(policy in any_policy(), crashes in any_crashes()) {
        let (mut record, mut now) = (Record::default(), Duration::ZERO);
        for (pause, class, jitter) in crashes {
            now += Duration::from_millis(pause);
            let before = record.budget_left(&policy, now);
            let escalated = record.decide(&policy, class, now, jitter).decision == Decision::Escalate;
            prop_assert_eq!(escalated, before == 0 && class != CauseClass::DependencyDown);
        }
    }

    #[test]
    fn pauses_stay_within_their_bounds(policy in any_policy(), crashes in any_crashes()) {
        let (mut record, mut now) = (Record::default(), Duration::ZERO);
        for (pause, class, jitter) in crashes {
            now += Duration::from_millis(pause);
            if let Decision::RestartAfter(pause) = record.decide(&policy, class, now, jitter).decision {
                prop_assert!(pause >= policy.backoff_min && pause <= policy.backoff_max);
            }
        }
    }

    #[test]
    fn pauses_grow_until_the_longest(policy in any_policy(), jitter in 0.0_f64..1.0) {
        let pauses: Vec<Duration> = (1..50).map(|n| backoff(&policy, n, jitter)).collect();
        prop_assert!(pauses.is_sorted());
        prop_assert!(pauses[48] >= policy.backoff_max / 2);
        prop_assert_eq!(backoff(&policy, 49, 1.0), policy.backoff_max);
    }

    #[test]
    fn the_budget_is_whole_again_after_the_window(policy in any_policy(), crashes in any_crashes()) {
        let (mut record, mut now) = (Record::default(), Duration::ZERO);
        for (pause, class, jitter) in crashes {
            now += Duration::from_millis(pause);
            record.decide(&policy, class, now, jitter);
        }
        prop_assert_eq!(record.budget_left(&policy, now + policy.window), policy.max_restarts);
    }
}
