//! Proof that a storm sees anything: ordo is started with a mistake on purpose, and the checker must name what it breaks.

use std::time::Duration;

use super::forms::Form;
use super::report::Report;
use crate::checker::checks::{accepted, stock};
use crate::checker::{cli, history_index, topic_audit};

/// A defect that ordo's test build can be started with (`ORDO_DEFECT`), and the storm that brings it to light.
pub struct Defect {
    pub name: &'static str,
    /// One of these has to be named; others may be too.
    breaks: &'static [&'static str],
    form: fn() -> Form,
}

pub const ALL: &[Defect] = &[
    Defect {
        name: "answer_before_commit",
        breaks: &[accepted::IN_THE_LOG],
        form: || Form::of(&[("postgres and processes killed", 3)], 1),
    },
    Defect {
        name: "dedup_off",
        breaks: &[stock::VIEW_IS_FOLD, stock::CONSERVED, stock::NOT_OVERSOLD],
        form: || Form { rate: 150.0, ..Form::of(&[("process killed", 4)], 1) },
    },
    Defect {
        name: "checkpoint_before_acknowledgement",
        breaks: &[topic_audit::COMPLETE, cli::KAFKA_KEPT],
        form: || Form::of(&[("kafka and processes killed", 2)], 1),
    },
    Defect {
        name: "conflict_swallowed",
        breaks: &[history_index::SAME_ANSWER, accepted::TOKEN, accepted::CANCELLED],
        form: || Form { cancel_percent: 30, ..Form::of(&[("process killed", 2)], 2) },
    },
];

impl Defect {
    /// The storm, with ordo mistaken. A system with a defect may never come to rest, so it is not waited for long.
    pub fn form(&self) -> Form {
        Form { defect: Some(self.name), settle: Duration::from_secs(20), ..(self.form)() }
    }

    /// The rule that gave it away.
    pub fn caught_by<'a>(&self, report: &'a Report) -> Option<&'a str> {
        report.broken().map(|verdict| verdict.rule.as_str()).find(|rule| self.breaks.contains(rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_finds_its_faults() {
        for defect in ALL {
            assert!(!defect.form().faults.is_empty(), "{}", defect.name);
        }
    }
}
