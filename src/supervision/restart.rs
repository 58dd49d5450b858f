//! What to do about a crash: pure, told the time and the jitter.
//!
//! Each child has a record and a budget of its own, so that one bad child never spends what the others may need. A
//! crash because a dependency is down spends nothing: restarting cannot help there and giving up would only add to
//! the outage, so it waits, longer each time.

use std::collections::VecDeque;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often a child may crash, and how long to wait in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Restarts a child may spend within the window before its supervisor gives up.
    pub max_restarts: u32,
    /// How long a spent restart counts.
    pub window: Duration,
    /// First pause, and the shortest.
    pub backoff_min: Duration,
    /// Longest pause.
    pub backoff_max: Duration,
    /// Time without a crash after which the pauses begin anew.
    pub reset_after: Duration,
}

/// Why an actor crashed: chooses what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseClass {
    /// Something it was given can never be handled. Restarted as for a bug: the same thing met again soon escalates.
    Poison,
    /// Postgres, Kafka or another server does not answer. Waits and never escalates.
    DependencyDown,
    /// Anything else, a panic too: restarted at once, then after pauses, then escalated.
    Bug,
}

impl CauseClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Poison, Self::DependencyDown, Self::Bug];

    /// Its name on the wire, in labels and in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Poison => "poison",
            Self::DependencyDown => "dependency_down",
            Self::Bug => "bug",
        }
    }
}

/// What to do about one crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Start it again now.
    RestartNow,
    /// Start it again after a pause.
    RestartAfter(Duration),
    /// Give up; whoever is above decides.
    Escalate,
}

/// The decision, and what the child may still spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What to do.
    pub decision: Decision,
    /// Restarts left within the window.
    pub budget_left: u32,
}

/// What is remembered of one child's crashes. Times are counted from any fixed moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// When restarts were spent, oldest first; at most `max_restarts` of them.
    spent: VecDeque<Duration>,
    /// Crashes in a row without `reset_after` of calm between them.
    in_a_row: u32,
    /// When the last pause ended: calm is counted from there.
    up_since: Option<Duration>,
}

impl Record {
    /// Restarts left at `now`.
    #[must_use]
    pub fn budget_left(&self, policy: &Policy, now: Duration) -> u32 {
        let counted = self.spent.iter().filter(|&&at| now.saturating_sub(at) < policy.window).count();
        policy.max_restarts.saturating_sub(u32::try_from(counted).unwrap_or(u32::MAX))
    }

    /// Decides about a crash at `now` and remembers it. `jitter` is a random number from 0 to 1.
    pub fn decide(&mut self, policy: &Policy, class: CauseClass, now: Duration, jitter: f64) -> Verdict {
        if self.up_since.is_some_and(|up| now.saturating_sub(up) >= policy.reset_after) {
            self.in_a_row = 0;
        }
        self.spent.retain(|&at| now.saturating_sub(at) < policy.window);
        self.in_a_row = self.in_a_row.saturating_add(1);
        let decision = match class {
            CauseClass::DependencyDown => Decision::RestartAfter(backoff(policy, self.in_a_row, jitter)),
            CauseClass::Bug | CauseClass::Poison if self.budget_left(policy, now) == 0 => Decision::Escalate,
            CauseClass::Bug | CauseClass::Poison => {
                self.spent.push_back(now);
                match self.in_a_row {
                    1 => Decision::RestartNow,
                    crashes => Decision::RestartAfter(backoff(policy, crashes - 1, jitter)),
                }
            }
        };
        self.up_since = match decision {
            Decision::RestartNow => Some(now),
            Decision::RestartAfter(pause) => Some(now.saturating_add(pause)),
            Decision::Escalate => self.up_since,
        };
        Verdict { decision, budget_left: self.budget_left(policy, now) }
    }
}

/// The pause before try `n` (from 1): doubles up to the longest one, and is drawn from its upper half, so that children
/// which went down together do not come back together. For the same jitter it never shrinks with `n`.
fn backoff(policy: &Policy, n: u32, jitter: f64) -> Duration {
    let longest = policy.backoff_max.max(policy.backoff_min);
    let doublings = n.saturating_sub(1).min(31);
    let full = policy.backoff_min.saturating_mul(1 << doublings).min(longest);
    let least = (full / 2).max(policy.backoff_min);
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 1.0 };
    (least + (full - least).mul_f64(jitter)).min(longest)
}

#[cfg(test)]
mod tests;
