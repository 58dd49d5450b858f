//! All rounds of a run, folded.

use serde::Serialize;

use super::machine::Machine;
use super::measure::{Measure, Spread};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BenchResult {
    pub at: String,
    pub machine: Machine,
    pub rounds: usize,
    pub seconds: u64,
    pub rows: Vec<RowResult>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RowResult {
    pub name: &'static str,
    pub about: &'static str,
    pub baseline: Option<&'static str>,
    /// Headline against the baseline's of the same round.
    pub ratio: Option<Spread>,
    pub measures: Vec<MeasureResult>,
    /// As measured, round by round.
    pub rounds: Vec<Vec<Measure>>,
}

#[derive(Debug, Serialize)]
pub struct MeasureResult {
    pub name: &'static str,
    pub unit: &'static str,
    #[serde(flatten)]
    pub spread: Spread,
}

/// What one row measured in each round; both lists are in the order of rounds.
pub struct Measured {
    pub name: &'static str,
    pub about: &'static str,
    pub baseline: Option<&'static str>,
    pub rounds: Vec<Vec<Measure>>,
}

pub fn fold(rows: Vec<Measured>) -> Vec<RowResult> {
    let ratios: Vec<Option<Spread>> = rows.iter().map(|row| ratio(row, &rows)).collect();
    rows.into_iter()
        .zip(ratios)
        .map(|(row, ratio)| RowResult {
            name: row.name,
            about: row.about,
            baseline: row.baseline,
            ratio,
            measures: spreads(&row.rounds),
            rounds: row.rounds,
        })
        .collect()
}

/// Only the same round compares: the machine of another round was another one.
fn ratio(row: &Measured, rows: &[Measured]) -> Option<Spread> {
    let baseline = rows.iter().find(|other| Some(other.name) == row.baseline)?;
    let pairs = row.rounds.iter().zip(&baseline.rounds);
    Spread::of(pairs.filter_map(|(round, base)| {
        let (headline, base) = (round.first()?.value, base.first()?.value);
        (base != 0.0).then(|| headline / base)
    }))
}

/// A measure may be missing in some rounds.
fn spreads(rounds: &[Vec<Measure>]) -> Vec<MeasureResult> {
    let mut named: Vec<&Measure> = Vec::new();
    for measure in rounds.iter().flatten() {
        if named.iter().all(|known| known.name != measure.name) {
            named.push(measure);
        }
    }
    named
        .into_iter()
        .filter_map(|Measure { name, unit, .. }| {
            let values = rounds.iter().flatten().filter(|measure| measure.name == *name).map(|measure| measure.value);
            Some(MeasureResult { name, unit, spread: Spread::of(values)? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, baseline: Option<&'static str>, headlines: &[f64]) -> Measured {
        let rounds = headlines.iter().map(|value| vec![Measure::new("rate", "orders/s", *value)]).collect();
        Measured { name, about: "", baseline, rounds }
    }

    #[test]
    fn a_ratio_compares_within_rounds() {
        let rows = fold(vec![row("slow", None, &[10.0, 20.0, 40.0]), row("fast", Some("slow"), &[20.0, 60.0, 40.0])]);
        assert_eq!(rows[0].ratio, None);
        assert_eq!(rows[1].ratio, Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(rows[1].measures[0].spread, Spread { median: 40.0, min: 20.0, max: 60.0 });
    }

    #[test]
    fn without_its_baseline_in_the_run_a_row_has_no_ratio() {
        assert_eq!(fold(vec![row("fast", Some("slow"), &[20.0])])[0].ratio, None);
    }
}
