//! Every action, and the list.

mod acknowledge_alarms;
mod clear_faults;
mod discard_dead_letters;
mod pause_consumer;
mod replay_dead_letters;
mod resume_consumer;
mod seek_consumer;
mod set_fault;
mod stop_replay;

use super::action::Action;

pub use acknowledge_alarms::AcknowledgeAlarms;
pub use clear_faults::ClearFaults;
pub use discard_dead_letters::DiscardDeadLetters;
pub use pause_consumer::PauseConsumer;
pub use replay_dead_letters::ReplayDeadLetters;
pub use resume_consumer::ResumeConsumer;
pub use seek_consumer::SeekConsumer;
pub use set_fault::SetFault;
pub use stop_replay::StopReplay;

/// Does something for each action: mounts its route, adds its verb.
pub trait Visitor {
    /// One action.
    fn visit<A: Action>(&mut self);
}

/// Shows every action to `visitor`, in the order of `--help`.
pub fn each(visitor: &mut impl Visitor) {
    visitor.visit::<AcknowledgeAlarms>();
    visitor.visit::<ReplayDeadLetters>();
    visitor.visit::<StopReplay>();
    visitor.visit::<DiscardDeadLetters>();
    visitor.visit::<PauseConsumer>();
    visitor.visit::<ResumeConsumer>();
    visitor.visit::<SeekConsumer>();
    visitor.visit::<SetFault>();
    visitor.visit::<ClearFaults>();
}
