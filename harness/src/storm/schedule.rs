//! Which fault comes when: rounds, each with every fault as often as it asks for, shuffled by the seed. Pure.

use crate::load::Chance;

/// One fault of a storm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// From 0.
    pub number: u64,
    /// Which of the faults.
    pub fault: usize,
    /// The next one comes as soon as this one is healed, before the system has caught up.
    pub is_followed_at_once: bool,
}

pub struct Schedule {
    seed: u64,
    /// How often each fault comes in one round.
    times: Vec<u32>,
    followed_percent: u8,
    round: Vec<usize>,
    rounds: u64,
    number: u64,
}

impl Schedule {
    pub fn of(seed: u64, times: Vec<u32>, followed_percent: u8) -> Self {
        Self { seed, times, followed_percent, round: Vec::new(), rounds: 0, number: 0 }
    }

    /// Of which nothing is left.
    pub fn rounds_done(&self) -> u64 {
        if self.round.is_empty() { self.rounds } else { self.rounds - 1 }
    }

    /// What decides everything about one cycle, apart from all others.
    pub fn chance(&self, cycle: &Cycle) -> Chance {
        Chance::of(self.seed, 1_000 + cycle.number)
    }

    fn shuffled(&self) -> Vec<usize> {
        let mut chance = Chance::of(self.seed, self.rounds);
        let mut round: Vec<usize> =
            self.times.iter().enumerate().flat_map(|(fault, times)| (0..*times).map(move |_| fault)).collect();
        for last in (1..round.len()).rev() {
            let other = usize::try_from(chance.between(0, last as u64)).unwrap_or(last);
            round.swap(last, other);
        }
        round
    }
}

impl Iterator for Schedule {
    type Item = Cycle;

    fn next(&mut self) -> Option<Cycle> {
        if self.round.is_empty() {
            self.round = self.shuffled();
            self.rounds += 1;
        }
        let fault = self.round.pop()?;
        let number = self.number;
        self.number += 1;
        let is_followed_at_once = Chance::of(self.seed, 500_000 + number).percent(self.followed_percent);
        Some(Cycle { number, fault, is_followed_at_once })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(seed: u64, count: usize) -> Vec<Cycle> {
        Schedule::of(seed, vec![3, 1, 2], 30).take(count).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_storm_and_another_another() {
        assert_eq!(first(7, 60), first(7, 60));
        assert_ne!(first(7, 60), first(8, 60));
    }

    #[test]
    fn every_round_has_every_fault_as_often_as_it_asks() {
        for round in first(7, 60).chunks(6) {
            let count = |fault| round.iter().filter(|cycle| cycle.fault == fault).count();
            assert_eq!((count(0), count(1), count(2)), (3, 1, 2));
        }
    }

    #[test]
    fn a_round_is_done_with_its_last_fault() {
        let mut schedule = Schedule::of(7, vec![3, 1, 2], 30);
        let done: Vec<u64> = (0..7)
            .map(|_| {
                let done = schedule.rounds_done();
                schedule.next();
                done
            })
            .collect();
        assert_eq!(done, [0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn rounds_differ() {
        let cycles: Vec<usize> = first(7, 60).iter().map(|cycle| cycle.fault).collect();
        assert!(cycles.chunks(6).any(|round| round != &cycles[..6]));
    }

    #[test]
    fn nothing_to_break_is_no_storm() {
        assert_eq!(Schedule::of(1, vec![0], 0).next(), None);
    }
}
