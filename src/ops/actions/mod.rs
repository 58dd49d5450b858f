//! Every action, and the list.

mod acknowledge_alarms;
mod cancel_projection;
mod clear_faults;
mod discard_dead_letters;
mod pace_projection;
mod pause_consumer;
mod pause_projection;
mod promote_projection;
mod rebuild_projection;
mod renew_row;
mod replay_dead_letters;
mod resume_consumer;
mod resume_projection;
mod reveal_personal;
mod rollback_projection;
mod seek_consumer;
mod set_fault;
mod stop_replay;
mod verify_projection;

use super::action::Action;

pub use acknowledge_alarms::AcknowledgeAlarms;
pub use cancel_projection::CancelProjection;
pub use clear_faults::ClearFaults;
pub use discard_dead_letters::DiscardDeadLetters;
pub use pace_projection::PaceProjection;
pub use pause_consumer::PauseConsumer;
pub use pause_projection::PauseProjection;
pub use promote_projection::PromoteProjection;
pub use rebuild_projection::RebuildProjection;
pub use renew_row::RenewRow;
pub use replay_dead_letters::ReplayDeadLetters;
pub use resume_consumer::ResumeConsumer;
pub use resume_projection::ResumeProjection;
pub use reveal_personal::RevealPersonal;
pub use rollback_projection::RollbackProjection;
pub use seek_consumer::SeekConsumer;
pub use set_fault::SetFault;
pub use stop_replay::StopReplay;
pub use verify_projection::VerifyProjection;

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
    visitor.visit::<RebuildProjection>();
    visitor.visit::<VerifyProjection>();
    visitor.visit::<PromoteProjection>();
    visitor.visit::<RollbackProjection>();
    visitor.visit::<PaceProjection>();
    visitor.visit::<PauseProjection>();
    visitor.visit::<ResumeProjection>();
    visitor.visit::<CancelProjection>();
    visitor.visit::<RenewRow>();
    visitor.visit::<RevealPersonal>();
}
