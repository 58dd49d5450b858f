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
