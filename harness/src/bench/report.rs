//! What came out: a table for people, JSON for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::row::{Figures, Row};

/// Median and spread of one figure over the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    pub name: &'static str,
    pub about: &'static str,
    pub figures: BTreeMap<&'static str, Spread>,
    /// This row's figure by its baseline's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub at: String,
    pub cores: usize,
    pub kernel: String,
    pub rounds: usize,
    pub seconds: u64,
    pub rows: Vec<Measured>,
}

pub fn spread(values: &[f64]) -> Option<Spread> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.get(sorted.len() / 2)?;
    let median = if sorted.len() % 2 == 1 { *middle } else { f64::midpoint(*middle, sorted[sorted.len() / 2 - 1]) };
    Some(Spread { median, min: *sorted.first()?, max: *sorted.last()? })
}

/// One entry a row, of its rounds.
pub fn measured(rows: &[(&Row, Vec<Figures>)]) -> Vec<Measured> {
    let figures = |rounds: &[Figures]| {
        let names: Vec<&'static str> = rounds.iter().flat_map(|round| round.keys().copied()).collect();
        names
            .into_iter()
            .filter_map(|name| {
                let values: Vec<f64> = rounds.iter().filter_map(|round| round.get(name).copied()).collect();
                Some((name, spread(&values)?))
            })
            .collect::<BTreeMap<_, _>>()
    };
    let all: BTreeMap<&str, BTreeMap<&str, Spread>> =
        rows.iter().map(|(row, rounds)| (row.name, figures(rounds))).collect();
    rows.iter()
        .map(|(row, rounds)| {
            let figures = figures(rounds);
            let ratio = row
                .baseline
                .and_then(|(base, figure)| Some(figures.get(figure)?.median / all.get(base)?.get(figure)?.median));
            Measured { name: row.name, about: row.about, figures, ratio }
        })
        .collect()
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} cores, {} rounds of {} s, medians (min to max)", self.cores, self.rounds, self.seconds)?;
        for row in &self.rows {
            writeln!(f, "\n{}: {}", row.name, row.about)?;
            for (name, spread) in &row.figures {
                writeln!(f, "  {name:<24} {:>12.3}  ({:.3} to {:.3})", spread.median, spread.min, spread.max)?;
            }
            if let Some(ratio) = row.ratio {
                writeln!(f, "  {:<24} {ratio:>12.2}", "ratio to its baseline")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_middles() {
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(spread(&[]), None);
    }
}
