//! Given, when, then: domain tests as sentences.

use chrono::{DateTime, Utc};

use super::{Aggregate, Refusal};

/// The moment at which all domain tests happen.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).expect("a valid time")
}

pub(crate) struct Given<A>(A);
pub(crate) struct When<A: Aggregate>(Result<Vec<A::Event>, A::Refusal>);

/// A state made of what has happened.
pub(crate) fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    Given(events.into_iter().fold(A::default(), |state, event| state.evolve(&event)))
}

impl<A: Aggregate> Given<A> {
    pub(crate) fn when(self, command: A::Command) -> When<A> {
        When(self.0.decide(&command, now()))
    }
}

impl<A: Aggregate> When<A> {
    #[track_caller]
    pub(crate) fn then(self, expected: impl IntoIterator<Item = A::Event>) {
        assert_eq!(self.0.as_deref(), Ok(expected.into_iter().collect::<Vec<_>>().as_slice()));
    }

    #[track_caller]
    pub(crate) fn then_refuses(self, code: &str) {
        match self.0 {
            Err(refusal) => assert_eq!(refusal.code(), code),
            Ok(events) => panic!("expected the refusal {code}, got {events:?}"),
        }
    }
}
