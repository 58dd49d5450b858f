//! What came of a storm.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::forms::Least;
use super::judge::Verdict;
use super::lag::Recovery;

/// One kind of fault: how often it came, and the longest recovery from it, in seconds.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    pub name: &'static str,
    pub kills_a_process: bool,
    pub cycles: u64,
    /// Of these, followed by the next fault before the system had caught up.
    pub followed: u64,
    pub slowest: Recovery,
}

impl Kind {
    pub fn of(name: &'static str, kills_a_process: bool) -> Self {
        Self { name, kills_a_process, cycles: 0, followed: 0, slowest: Recovery::default() }
    }

    pub fn add(&mut self, recovery: Option<&Recovery>) {
        self.cycles += 1;
        let Some(recovery) = recovery else {
            self.followed += 1;
            return;
        };
        let longer = |known: &mut Option<f64>, new: Option<f64>| {
            *known = new.map(|new| known.map_or(new, |known| known.max(new))).or(*known);
        };
        longer(&mut self.slowest.accepted, recovery.accepted);
        longer(&mut self.slowest.confirmed, recovery.confirmed);
        longer(&mut self.slowest.caught_up, recovery.caught_up);
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub seed: u64,
    pub scenario: String,
    pub at: DateTime<Utc>,
    pub cores: usize,
    pub processes: usize,
    /// Orders a second asked for.
    pub rate: f64,
    /// The longest an order was undecided while nothing was broken, in seconds.
    pub ordinary_wait: f64,
    /// What is allowed after a fault, in seconds.
    pub allowed_wait: f64,
    pub seconds: f64,
    pub kinds: Vec<Kind>,
    pub events: i64,
    pub cut_lines: u64,
    pub attempts: u64,
    pub accepted: u64,
    pub refused_for_now: u64,
    pub unanswered: u64,
    /// Records that stand in their topic more than once.
    pub records_repeated: u64,
    /// Deliveries that consumers knew already, at least so many.
    pub repeats_absorbed: f64,
    pub filled_from_log: f64,
    pub batches_resent: f64,
    pub restarts: f64,
    pub escalations: f64,
    pub most_memory_mib: f64,
    /// What the scenario has to say.
    pub figures: Vec<(String, String)>,
    pub verdicts: Vec<Verdict>,
}

impl Report {
    pub fn holds(&self) -> bool {
        self.verdicts.iter().all(Verdict::holds)
    }

    pub fn broken(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|verdict| !verdict.holds())
    }

    pub fn kills(&self) -> u64 {
        self.kinds.iter().filter(|kind| kind.kills_a_process).map(|kind| kind.cycles).sum()
    }

    /// What it lacked to be the storm that was asked for.
    pub fn lacks(&self, least: Least) -> Option<String> {
        let kills = self.kills();
        if kills < least.kills {
            return Some(format!("only {kills} processes were killed, {} are asked for", least.kills));
        }
        let rare = self.kinds.iter().find(|kind| !kind.kills_a_process && kind.cycles < least.of_each_server_fault)?;
        Some(format!("{} came {} times, {} are asked for", rare.name, rare.cycles, least.of_each_server_fault))
    }
}

#[cfg(test)]
mod tests {
    use super::super::forms::Form;
    use super::*;

    fn report(kinds: Vec<Kind>) -> Report {
        Report {
            seed: 1,
            scenario: String::new(),
            at: crate::clock::now(),
            cores: 2,
            processes: 2,
            rate: 1.0,
            ordinary_wait: 0.0,
            allowed_wait: 1.0,
            seconds: 1.0,
            kinds,
            events: 0,
            cut_lines: 0,
            attempts: 0,
            accepted: 0,
            refused_for_now: 0,
            unanswered: 0,
            records_repeated: 0,
            repeats_absorbed: 0.0,
            filled_from_log: 0.0,
            batches_resent: 0.0,
            restarts: 0.0,
            escalations: 0.0,
            most_memory_mib: 0.0,
            figures: Vec::new(),
            verdicts: Vec::new(),
        }
    }

    #[test]
    fn a_full_storm_says_what_it_lacked() {
        let least = Form::full(20.0, 2, true, &[]).unwrap().least;
        let kinds = |kills, servers| {
            let of = |name, kills_a_process, cycles| Kind { cycles, ..Kind::of(name, kills_a_process) };
            report(vec![of("process killed", true, kills), of("kafka killed", false, servers)])
        };
        assert_eq!(kinds(20, 5).lacks(least), None);
        assert!(kinds(19, 5).lacks(least).unwrap().contains("19 processes"));
        assert!(kinds(20, 4).lacks(least).unwrap().contains("kafka killed came 4 times"));
        assert_eq!(kinds(1, 1).lacks(Form::full(1.0, 2, true, &[]).unwrap().least), None);
    }

    #[test]
    fn the_longest_recovery_of_a_kind_counts() {
        let mut kind = Kind::of("x", true);
        for seconds in [2.0, 5.0, 3.0] {
            kind.add(Some(&Recovery { accepted: Some(seconds), confirmed: None, caught_up: None }));
        }
        kind.add(None);
        assert_eq!((kind.cycles, kind.followed, kind.slowest.accepted), (4, 1, Some(5.0)));
    }
}
