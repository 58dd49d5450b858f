//! Every question, and the list.

mod alarms;
mod nodes;
mod operations;
mod supervision_tree;

use super::Question;

pub use alarms::Alarms;
pub use nodes::Nodes;
pub use operations::Operations;
pub use supervision_tree::{SupervisionTree, TreeAndHistory};

/// Does something for each question: mounts its route, adds its verb.
pub trait Visitor {
    /// One question.
    fn visit<Q: Question>(&mut self);
}

/// Shows every question to `visitor`, in the order of `--help`.
pub fn each(visitor: &mut impl Visitor) {
    visitor.visit::<SupervisionTree>();
    visitor.visit::<Nodes>();
    visitor.visit::<Alarms>();
    visitor.visit::<Operations>();
}
