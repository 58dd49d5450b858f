//! One invariant: how often it was looked at, how often it did not hold, and the first places where it did not.

use serde::Serialize;

const OFFENDERS_KEPT: usize = 5;

#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub invariant: &'static str,
    pub checked: u64,
    pub violated: u64,
    pub offenders: Vec<String>,
}

impl Finding {
    pub fn of(invariant: &'static str) -> Self {
        Self { invariant, checked: 0, violated: 0, offenders: Vec::new() }
    }

    /// Counts one thing looked at; `offender` is only asked for when it does not hold.
    pub fn check(&mut self, holds: bool, offender: impl FnOnce() -> String) {
        self.checked += 1;
        if !holds {
            self.violated += 1;
            if self.offenders.len() < OFFENDERS_KEPT {
                self.offenders.push(offender());
            }
        }
    }

    pub fn holds(&self) -> bool {
        self.violated == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_violations_count_and_the_first_five_are_named() {
        let mut finding = Finding::of("x");
        for number in 0..20 {
            finding.check(number % 2 == 0, || number.to_string());
        }
        assert_eq!((finding.checked, finding.violated), (20, 10));
        assert_eq!(finding.offenders, ["1", "3", "5", "7", "9"]);
    }
}
