//! What an answer means and what to do after it. Pure.

use std::time::Duration;

use super::chance::Chance;
use super::client::Answer;
use crate::history::Outcome;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
pub struct Patience {
    /// Counted from when the request was due; after it an unanswered request stays unknown.
    pub give_up: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    End(Outcome),
    /// The same key and body once more.
    Again(Duration),
}

/// What one answer says of the request's effect.
pub fn outcome(answer: &Answer) -> Outcome {
    match answer {
        Answer::Answered { status: 200..=299, .. } => Outcome::Accepted,
        // 408 and 429 ask for patience; every 5xx leaves open whether the commit happened.
        Answer::Answered { status: 408 | 429 | 500..=599, .. } | Answer::NoAnswer(_) => Outcome::Unknown,
        Answer::Answered { .. } => Outcome::Refused,
    }
}

impl Patience {
    pub fn after(&self, answer: &Answer, attempt: u32, spent: Duration, chance: &mut Chance) -> Next {
        let outcome = outcome(answer);
        if outcome != Outcome::Unknown {
            return Next::End(outcome);
        }
        let asked = match answer {
            Answer::Answered { retry_after, .. } => *retry_after,
            Answer::NoAnswer(_) => None,
        };
        let pause = asked.unwrap_or_else(|| backoff(attempt));
        // Up to a half on top, never below what the service asked for, so that many callers do not come back at once.
        let pause = pause.mul_f64(1.0 + chance.fraction() / 2.0);
        if spent + pause > self.give_up { Next::End(Outcome::Unknown) } else { Next::Again(pause) }
    }
}

fn backoff(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::super::client::AnswerBody;
    use super::*;

    const PATIENCE: Patience = Patience { give_up: Duration::from_secs(60) };

    fn answered(status: u16, retry_after: Option<u64>) -> Answer {
        let retry_after = retry_after.map(Duration::from_secs);
        Answer::Answered { status, retry_after, position: None, body: AnswerBody::default() }
    }

    fn after(answer: &Answer, attempt: u32, spent: u64) -> Next {
        PATIENCE.after(answer, attempt, Duration::from_secs(spent), &mut Chance::of(1, 1))
    }

    #[test]
    fn an_answer_that_decides_ends_it() {
        assert_eq!(after(&answered(202, None), 1, 0), Next::End(Outcome::Accepted));
        for status in [400, 404, 409, 413, 422] {
            assert_eq!(after(&answered(status, None), 1, 0), Next::End(Outcome::Refused), "{status}");
        }
    }

    #[test]
    fn retry_after_is_honoured_and_only_lengthened() {
        for number in 0..100 {
            let next = PATIENCE.after(&answered(503, Some(2)), 1, Duration::ZERO, &mut Chance::of(1, number));
            let Next::Again(pause) = next else { panic!("{next:?}") };
            assert!((Duration::from_secs(2)..Duration::from_secs(3)).contains(&pause), "{pause:?}");
        }
    }

    #[test]
    fn a_cut_connection_is_tried_again_with_growing_pauses() {
        let cut = Answer::NoAnswer("connection reset".into());
        let pause = |attempt| match after(&cut, attempt, 0) {
            Next::Again(pause) => pause,
            end @ Next::End(_) => panic!("{end:?}"),
        };
        assert!(pause(1) < pause(3) && pause(3) < pause(20));
        assert!(pause(20) < Duration::from_secs(3));
    }

    #[test]
    fn patience_ends_and_leaves_the_outcome_unknown() {
        assert_eq!(after(&answered(503, Some(1)), 9, 60), Next::End(Outcome::Unknown));
        assert_eq!(after(&Answer::NoAnswer("refused".into()), 9, 60), Next::End(Outcome::Unknown));
    }

    #[test]
    fn an_error_of_the_server_decides_nothing() {
        for status in [500, 502, 503, 504, 429] {
            assert!(matches!(after(&answered(status, None), 1, 0), Next::Again(_)), "{status}");
        }
    }
}
