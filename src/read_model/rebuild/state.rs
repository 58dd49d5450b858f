//! What a rebuild does next: pure.

use super::row::{Phase, Rebuild};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Makes the table, and says what is to be folded.
    Prepare,
    /// Folds pieces of the log, many side by side.
    Bulk,
    /// Makes key and indexes.
    Index,
    /// Folds what was appended meanwhile; once that is little, attaches the version.
    CatchUp,
    /// Compares it with the active version.
    Verify,
    /// Nothing: an operator decides.
    Rest,
}

impl Step {
    /// For people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Bulk => "bulk",
            Self::Index => "index",
            Self::CatchUp => "catch up",
            Self::Verify => "verify",
            Self::Rest => "rest",
        }
    }

    /// Where a test build can be made to end.
    #[must_use]
    pub fn point(self) -> &'static str {
        match self {
            Self::Prepare => "rebuild.prepare",
            Self::Bulk => "rebuild.bulk",
            Self::Index => "rebuild.index",
            Self::CatchUp => "rebuild.catch_up",
            Self::Verify => "rebuild.verify",
            Self::Rest => "rebuild.rest",
        }
    }
}

/// What is next, by the phase its last step has left it in.
#[must_use]
pub fn next(rebuild: &Rebuild) -> Step {
    match rebuild.phase {
        Phase::Prepare => Step::Prepare,
        Phase::Bulk => Step::Bulk,
        Phase::Index => Step::Index,
        Phase::CatchUp => Step::CatchUp,
        Phase::Verify => Step::Verify,
        Phase::Ready | Phase::Ended => Step::Rest,
    }
}
