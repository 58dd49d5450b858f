//! The result as a table.

use std::fmt::{self, Write};

use super::measure::Spread;
use super::result::BenchResult;

impl fmt::Display for BenchResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        writeln!(f, "{} rounds of {} s, interleaved; median (min .. max)", self.rounds, self.seconds)?;
        for row in &self.rows {
            writeln!(f, "\n{}: {}", row.name, row.about)?;
            for (index, measure) in row.measures.iter().enumerate() {
                let mut line = format!("  {:<34}{:<10}{}", measure.name, measure.unit, spread(&measure.spread));
                if let (0, Some(baseline), Some(ratio)) = (index, row.baseline, &row.ratio) {
                    write!(line, "   {baseline} × {}", spread(ratio).trim_start())?;
                }
                writeln!(f, "{line}")?;
            }
        }
        Ok(())
    }
}

fn spread(spread: &Spread) -> String {
    let Spread { median, min, max } = spread;
    format!("{:>10} ({} .. {})", number(*median), number(*min), number(*max))
}

/// Three digits or the whole number, whichever says more.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let written: Vec<String> = [0.0, 0.1234, 1.234, 12.34, 1_234.5].into_iter().map(number).collect();
        assert_eq!(written, ["0", "0.123", "1.23", "12.3", "1234"]);
    }
}
