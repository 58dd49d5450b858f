//! Every question, and the list.

mod supervision_tree;

use super::Question;

pub use supervision_tree::{SupervisionTree, TreeAndHistory};

/// Does something for each question: mounts its route, adds its verb.
pub trait Visitor {
    /// One question.
    fn visit<Q: Question>(&mut self);
}

/// Shows every question to `visitor`, in the order of `--help`.
pub fn each(visitor: &mut impl Visitor) {
    visitor.visit::<SupervisionTree>();
}
