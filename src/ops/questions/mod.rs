//! Every question, and the list.

mod actions;
mod alarms;
mod consumer;
mod consumers;
mod dead_letter;
mod dead_letters;
mod events;
mod export;
mod faults;
mod health;
mod history;
mod nodes;
mod operations;
mod order_trace;
mod orders;
mod overview;
mod projection;
mod projection_diff;
mod projections;
mod relay;
mod replays;
mod supervision_tree;
mod tour;
mod try_dead_letter;
mod why;

use super::Question;

pub use actions::Actions;
pub use alarms::Alarms;
pub use consumer::Consumer;
pub use consumers::Consumers;
pub use dead_letter::ShowDeadLetter;
pub use dead_letters::DeadLetters;
pub use events::Events;
pub use export::ExportDeadLetters;
pub use faults::Faults;
pub use health::Health;
pub use history::History;
pub use nodes::Nodes;
pub use operations::Operations;
pub use order_trace::OrderTrace;
pub use orders::Orders;
pub use overview::Overview;
pub use projection::Projection;
pub use projection_diff::ProjectionDiff;
pub use projections::Projections;
pub use relay::Relay;
pub use replays::Replays;
pub use supervision_tree::{SupervisionTree, TreeAndHistory};
pub use tour::{DEMONSTRATION, Tour};
pub use try_dead_letter::TryDeadLetter;
pub use why::Why;

/// Does something for each question: mounts its route, adds its verb.
pub trait Visitor {
    /// One question.
    fn visit<Q: Question>(&mut self);
}

/// Shows every question to `visitor`, in the order of `--help`.
pub fn each(visitor: &mut impl Visitor) {
    visitor.visit::<Overview>();
    visitor.visit::<Tour>();
    visitor.visit::<SupervisionTree>();
    visitor.visit::<Nodes>();
    visitor.visit::<Alarms>();
    visitor.visit::<DeadLetters>();
    visitor.visit::<ShowDeadLetter>();
    visitor.visit::<TryDeadLetter>();
    visitor.visit::<ExportDeadLetters>();
    visitor.visit::<Replays>();
    visitor.visit::<Faults>();
    visitor.visit::<Operations>();
    visitor.visit::<Actions>();
    visitor.visit::<History>();
    visitor.visit::<Health>();
    visitor.visit::<Relay>();
    visitor.visit::<Events>();
    visitor.visit::<Consumers>();
    visitor.visit::<Consumer>();
    visitor.visit::<Projections>();
    visitor.visit::<Projection>();
    visitor.visit::<ProjectionDiff>();
    visitor.visit::<Orders>();
    visitor.visit::<Why>();
    visitor.visit::<OrderTrace>();
}
