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
}

/// Judges the failure of `events` events run together for the `tries`-th time (1 for the first). `jitter` is 0 to 1.
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
        Failure::Poison(_) | Failure::Permanent(_) => Verdict::DeadLetter,
        Failure::Panic(_) if tries >= config.attempts.min(3) => Verdict::DeadLetter,
        Failure::Panic(_) | Failure::Transient(_) | Failure::Contended(_) | Failure::Conflict(_) => {
            if tries >= config.attempts { Verdict::DeadLetter } else { Verdict::Again { after: backoff() } }
        }
    }
}

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

    fn judge(failure: &Failure, events: usize, tries: u32) -> Verdict {
        verdict(failure, events, tries, 1.0, &Config::default())
    }

    fn any_failure() -> impl Strategy<Value = Failure> {
        (0..6_u8).prop_map(|kind| match kind {
            0 => Failure::poison("x"),
            1 => Failure::permanent("x"),
            2 => Failure::Transient("x".into()),
            3 => Failure::Contended("x".into()),
            4 => Failure::Conflict("x".into()),
            _ => Failure::Panic("x".into()),
        })
    }

    #[test]
    fn what_can_never_be_read_is_given_up_at_once_when_alone() {
        assert_eq!(judge(&Failure::poison("x"), 1, 1), Verdict::DeadLetter);
        assert_eq!(judge(&Failure::permanent("x"), 1, 1), Verdict::DeadLetter);
    }

    #[test]
    fn the_third_panic_of_an_event_gives_it_up() {
        assert!(matches!(judge(&Failure::Panic("x".into()), 1, 2), Verdict::Again { .. }));
        assert_eq!(judge(&Failure::Panic("x".into()), 1, 3), Verdict::DeadLetter);
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
        fn an_event_that_always_fails_alone_is_given_up_within_its_attempts(failure in any_failure()) {
            let given_up = (1..=Config::default().attempts).any(|tries| judge(&failure, 1, tries) == Verdict::DeadLetter);
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
