//! Why an actor ended without a failure of its own. ractor carries the reason as text; this is the only place that
//! writes or reads that text.

use std::fmt;

const DONE: &str = "done";
const ORDERED: &str = "ordered";
const ESCALATED: &str = "escalated: ";
/// What ractor itself says after `drain`.
const DRAINED: &str = "Drained";

/// Why an actor stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// It had nothing more to do. Not restarted.
    Done,
    /// Someone above wanted it. Not restarted.
    Ordered,
    /// A child crashed more often than allowed. A crash to whoever is above.
    Escalated(String),
    /// Nothing that is said here: killed, or cancelled with its runtime. A crash to whoever is above.
    Unexpected(String),
}

impl StopReason {
    /// Reads what ractor hands to a supervisor.
    #[must_use]
    pub fn read(text: Option<&str>) -> Self {
        match text {
            None | Some(DONE | DRAINED) => Self::Done,
            Some(ORDERED) => Self::Ordered,
            Some(text) => match text.strip_prefix(ESCALATED) {
                Some(why) => Self::Escalated(why.to_owned()),
                None => Self::Unexpected(text.to_owned()),
            },
        }
    }

    /// Whether this is an end like any other, so that nothing need be done about it.
    #[must_use]
    pub const fn is_normal(&self) -> bool {
        matches!(self, Self::Done | Self::Ordered)
    }
}

/// What ractor is given: `me.stop(Some(StopReason::Done.to_string()))`.
impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str(DONE),
            Self::Ordered => f.write_str(ORDERED),
            Self::Escalated(why) => write!(f, "{ESCALATED}{why}"),
            Self::Unexpected(why) => f.write_str(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let reasons = [StopReason::Done, StopReason::Ordered, StopReason::Escalated("relay-3 crashed".into())];
        for reason in reasons {
            assert_eq!(StopReason::read(Some(&reason.to_string())), reason);
        }
    }

    #[test]
    fn only_a_reason_of_ours_is_normal() {
        assert!(StopReason::read(None).is_normal());
        assert!(StopReason::read(Some("Drained")).is_normal());
        for crash in ["killed", "actor_task_cancelled", "escalated: x", ""] {
            assert!(!StopReason::read(Some(crash)).is_normal(), "{crash:?}");
        }
    }
}
