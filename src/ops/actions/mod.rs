//! Every action, and the list.

mod acknowledge_alarms;

use super::action::Action;

pub use acknowledge_alarms::AcknowledgeAlarms;

/// Does something for each action: mounts its route, adds its verb.
pub trait Visitor {
    /// One action.
    fn visit<A: Action>(&mut self);
}

/// Shows every action to `visitor`, in the order of `--help`.
pub fn each(visitor: &mut impl Visitor) {
    visitor.visit::<AcknowledgeAlarms>();
}
