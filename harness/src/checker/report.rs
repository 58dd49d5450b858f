//! The verdict, for people and for programs.

use std::fmt;

use serde::Serialize;

use super::finding::Finding;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub holds: bool,
    pub partitions: usize,
    pub events: i64,
    pub attempts: u64,
    /// Lines of a history that a kill of the load cut short.
    pub cut_lines: u64,
    /// Records that repeat an earlier one; allowed.
    pub duplicates: u64,
    pub seconds: f64,
    pub findings: Vec<Finding>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let Finding { invariant, checked, violated, offenders } = finding;
            if finding.holds() {
                writeln!(f, "ok    {invariant} ({checked} checked)")?;
                continue;
            }
            writeln!(f, "FAIL  {invariant} ({violated} of {checked})")?;
            for offender in offenders {
                writeln!(f, "        {offender}")?;
            }
        }
        if self.cut_lines > 0 {
            let cut = self.cut_lines;
            writeln!(f, "note  the history was cut short in {cut} lines; what they would have said is not checked")?;
        }
        writeln!(
            f,
            "{} events in {} partitions, {} attempts, {} repeated records, {:.1} s",
            self.events, self.partitions, self.attempts, self.duplicates, self.seconds
        )?;
        let failed = self.findings.iter().filter(|finding| !finding.holds()).count();
        match failed {
            0 => write!(f, "all {} invariants hold", self.findings.len()),
            _ => {
                write!(f, "{failed} of {} invariants do not hold: begin with the first one above", self.findings.len())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_that_was_cut_is_told_in_one_line() {
        let report = |cut_lines| Report {
            holds: true,
            partitions: 1,
            events: 0,
            attempts: 5,
            cut_lines,
            duplicates: 0,
            seconds: 0.1,
            findings: Vec::new(),
        };
        let notes = |text: &str| text.lines().filter(|line| line.starts_with("note")).count();
        assert_eq!(notes(&report(0).to_string()), 0);
        assert_eq!(notes(&report(2).to_string()), 1);
    }
}
