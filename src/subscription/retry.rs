//! What to do about a failure: class and history in, verdict out. Pure.

use std::time::Duration;

use super::{Config, Failure};

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Halve the batch: the culprit is in one of the halves.
    Halve {
        /// Pause before.
        after: Duration,
    },
    /// The same again, charged to the event.
    Again {
        /// Pause before.
        after: Duration,
    },
    /// The same again, charged to nobody.
    Wait {
        /// Pause before.
        after: Duration,
    },
    /// Give the event up.
    DeadLetter,
    /// Set its stream aside, and try its head again after a pause: everybody else goes on.
    Park {
        /// How long.
        after: Duration,
    },
}

/// Judges the failure of `events` events run together for the `tries`-th time (1 for the first), counted per class of
/// failure if it is one event alone. `jitter` is 0 to 1.
#[must_use]
pub fn verdict(failure: &Failure, events: usize, tries: u32, jitter: f64, config: &Config) -> Verdict {
    let backoff = || backoff(config.backoff_min, config.backoff_max, tries, jitter);
    match failure {
        Failure::DependencyDown(..) => {
            Verdict::Wait { after: self::backoff(config.backoff_min, config.dependency_backoff_max, tries, jitter) }
        }
        // In the way of others or behind them: smaller is likelier to pass, and nobody is to blame.
        Failure::Contended(_) if events > 1 => Verdict::Halve { after: backoff() },
        // A stream of the batch has moved on: the same again, reading it first.
        Failure::Conflict(_) if events > 1 && tries == 1 => Verdict::Wait { after: Duration::ZERO },
        _ if events > 1 => Verdict::Halve { after: Duration::ZERO },
        Failure::Poison(_) | Failure::Permanent(_) | Failure::Deadly(_) => Verdict::DeadLetter,
        Failure::Panic { .. } if tries >= PANICS => Verdict::DeadLetter,
        // Trying again now cannot bring what is missing.
        Failure::Gap(_) => park(0, config),
        Failure::Panic { .. } | Failure::Transient(_) | Failure::Contended(_) | Failure::Conflict(_) => {
            if tries >= config.attempts { park(0, config) } else { Verdict::Again { after: backoff() } }
        }
    }
}

/// Judges the failure of a parked head for the `tries`-th time in this class, after `retries` retries that have failed.
#[must_use]
pub fn parked_verdict(failure: &Failure, tries: u32, retries: u32, jitter: f64, config: &Config) -> Verdict {
    match (failure, verdict(failure, 1, tries, jitter, config)) {
        // In the way of others: nobody is to blame, however often.
        (Failure::Contended(_) | Failure::Conflict(_), _) => park(0, config),
        // A retry is one try, not a few; the next comes after its longer pause.
        (_, Verdict::Again { .. } | Verdict::Park { .. }) => park(retries.saturating_add(1), config),
        (_, other) => other,
    }
}

/// The pause before the retry after `failed` others; after the last one the event is given up.
fn park(failed: u32, config: &Config) -> Verdict {
    let pause = usize::try_from(failed).ok().and_then(|failed| config.parked_retries.0.get(failed));
    pause.map_or(Verdict::DeadLetter, |after| Verdict::Park { after: *after })
}

/// The panic of an event that makes it a dead letter.
const PANICS: u32 = 3;

/// Full jitter over a capped doubling: 1 ms to the cap.
fn backoff(min: Duration, max: Duration, tries: u32, jitter: f64) -> Duration {
    let cap = min.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(max);
    cap.mul_f64(jitter.clamp(0.0, 1.0)).max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::subscription::Dependency;
    use crate::subscription::guard::StreamGap;

    fn judge(failure: &Failure, events: usize, tries: u32) -> Verdict {
        verdict(failure, events, tries, 1.0, &Config::default())
    }

    fn panicked() -> Failure {
        Failure::Panic { message: "x".into(), place: "x.rs:1".into() }
    }

    fn any_failure() -> impl Strategy<Value = Failure> {
        (0..8_u8).prop_map(|kind| match kind {
            0 => Failure::poison("x"),
            1 => Failure::permanent("x"),
            2 => Failure::transient("x"),
            3 => Failure::Contended("x".into()),
            4 => Failure::Conflict("x".into()),
            5 => Failure::Deadly(5),
            6 => Failure::Gap(StreamGap { stream_id: "x".into(), version: 3, expected: 2 }),
            _ => panicked(),
        })
    }

    #[test]
    fn what_can_never_be_read_is_given_up_at_once_when_alone() {
        assert_eq!(judge(&Failure::poison("x"), 1, 1), Verdict::DeadLetter);
        assert_eq!(judge(&Failure::permanent("x"), 1, 1), Verdict::DeadLetter);
    }

    #[test]
    fn the_third_panic_of_an_event_gives_it_up() {
        assert!(matches!(judge(&panicked(), 1, 2), Verdict::Again { .. }));
        assert_eq!(judge(&panicked(), 1, 3), Verdict::DeadLetter);
    }

    #[test]
    fn a_parked_head_is_tried_after_the_pauses_of_the_setting_and_then_given_up() {
        let config = Config::default();
        let transient = || Failure::transient("x");
        let pauses: Vec<Verdict> =
            (0..4).map(|retries| parked_verdict(&transient(), 9, retries, 1.0, &config)).collect();
        let expected = [30, 300, 1_800].map(|seconds| Verdict::Park { after: Duration::from_secs(seconds) });
        assert_eq!(judge(&transient(), 1, 5), Verdict::Park { after: Duration::from_secs(5) });
        assert_eq!(pauses[..3], expected);
        assert_eq!(pauses[3], Verdict::DeadLetter);
    }

    proptest! {
        #[test]
        fn a_dependency_that_is_down_dead_letters_nothing(events in 1..500_usize, tries in 1..10_000_u32) {
            let failure = Failure::DependencyDown(Dependency::Postgres, "down".into());
            let waits = matches!(judge(&failure, events, tries), Verdict::Wait { .. });
            prop_assert!(waits);
        }

        #[test]
        fn only_an_event_that_failed_alone_is_given_up(failure in any_failure(), events in 2..500_usize, tries in 1..100_u32) {
            prop_assert_ne!(judge(&failure, events, tries), Verdict::DeadLetter);
        }

        #[test]
        fn an_event_that_always_fails_for_its_own_sake_is_given_up_in_the_end(failure in any_failure()) {
            prop_assume!(!matches!(failure, Failure::Contended(_) | Failure::Conflict(_)));
            let config = Config::default();
            let leaves = (1..=config.attempts).map(|tries| judge(&failure, 1, tries)).find(|verdict| {
                matches!(verdict, Verdict::DeadLetter | Verdict::Park { .. })
            });
            let given_up = match leaves {
                Some(Verdict::Park { .. }) => (0..10)
                    .any(|retries| parked_verdict(&failure, 6 + retries, retries, 1.0, &config) == Verdict::DeadLetter),
                verdict => verdict == Some(Verdict::DeadLetter),
            };
            prop_assert!(given_up);
        }

        #[test]
        fn pauses_stay_within_their_bound(tries in 1..1000_u32, jitter in 0.0..1.0_f64) {
            let config = Config::default();
            let pause = backoff(config.backoff_min, config.backoff_max, tries, jitter);
            prop_assert!(pause >= Duration::from_millis(1) && pause <= config.backoff_max);
        }
    }
}
