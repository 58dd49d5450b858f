//! How big a storm is: the full form by time, the short one for every change, and one for each planted defect.

use std::time::Duration;

use anyhow::ensure;

use super::faults::{self, Fault, Needs};

/// When the last fault has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After so long, once so many rounds are done; after `most` in any case.
    Elapsed { least: Duration, most: Duration, rounds: u64 },
    /// After so many rounds, once the log has so many events.
    Rounds { rounds: u64, events: i64 },
}

/// Orders of a thousand on which a consumer fails, for each consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faulty {
    /// For ever.
    pub poison: u16,
    /// A few times.
    pub transient: u16,
    /// For ever, by panicking.
    pub panic: u16,
}

pub struct Form {
    pub processes: usize,
    /// Orders a second, over all processes.
    pub rate: f64,
    pub cancel_percent: u8,
    pub repeat_percent: u8,
    pub faulty: Faulty,
    pub faults: Vec<Box<dyn Fault>>,
    /// How often each comes in a round.
    pub times: Vec<u32>,
    /// Share of faults that are followed by the next before the system has caught up.
    pub followed_percent: u8,
    pub until: Until,
    /// Longest wait for rest at the end.
    pub settle: Duration,
    /// Whether read models are made anew then, and compared.
    pub rebuilds: bool,
    /// `ORDO_DEFECT` of every process.
    pub defect: Option<&'static str>,
    /// What it must have done to count as a storm.
    pub least: Least,
}

/// How strong a storm must have been; of less, nothing follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Least {
    /// Processes killed.
    pub kills: u64,
    /// How often each fault of a server came.
    pub of_each_server_fault: u64,
}

/// What the full form promises within its 20 minutes.
const FULL: Least = Least { kills: 20, of_each_server_fault: 5 };
const FULL_MINUTES: f64 = 20.0;

/// The seed of the short form: one that draws short pauses, to stay within its minute, and has the fault after Kafka's stop
/// come before the system has caught up.
pub const FIXED_SEED: u64 = 199;

/// What a round takes on two cores: 20 minutes are five rounds, so five of every fault.
const MINUTES_A_ROUND: f64 = 4.0;
/// How much longer than asked for a slow machine may take for its rounds: 28 minutes for 20.
const PATIENCE: f64 = 1.4;

/// Orders a second of the short forms. An unoptimized build is to have more than half of a slow machine to spare, or it could
/// never make up for the time a fault took.
pub const SHORT_RATE: f64 = 25.0;

const SHORT: [(&str, u32); 5] = [
    ("process killed", 1),
    ("process stopped", 1),
    ("postgres backend killed", 1),
    ("postmaster killed", 1),
    ("kafka stopped", 1),
];

impl Form {
    /// Everything that can be broken with what there is.
    pub fn full(minutes: f64, processes: usize, has_kafka_proxy: bool, only: &[String]) -> anyhow::Result<Self> {
        let mut faults = faults::all();
        for name in only {
            ensure!(faults.iter().any(|fault| fault.name() == name), "there is no fault {name:?}: --list names them");
        }
        faults.retain(|fault| {
            let is_possible = match fault.needs() {
                Needs::Nothing => true,
                Needs::TwoProcesses => processes > 1,
                Needs::KafkaProxy => has_kafka_proxy,
            };
            let comes = is_possible && fault.times() > 0;
            if only.is_empty() { comes } else { only.iter().any(|name| name == fault.name()) }
        });
        let times = faults.iter().map(|fault| fault.times().max(1)).collect();
        Ok(Self {
            processes,
            rate: 90.0,
            cancel_percent: 5,
            repeat_percent: 3,
            faulty: Faulty::default(),
            faults,
            times,
            followed_percent: 35,
            until: Until::Elapsed {
                least: Duration::from_secs_f64(minutes * 60.0),
                most: Duration::from_secs_f64(minutes * 60.0 * PATIENCE),
                rounds: (minutes / MINUTES_A_ROUND) as u64,
            },
            settle: Duration::from_secs(120),
            rebuilds: true,
            defect: None,
            least: if only.is_empty() && minutes >= FULL_MINUTES { FULL } else { Least::default() },
        })
    }

    /// A handful of faults on one process, within a minute.
    pub fn short() -> Self {
        Self { rate: SHORT_RATE, followed_percent: 20, ..Self::of(&SHORT, 1) }
    }

    /// These faults, so often each, in one round.
    pub fn of(named: &[(&str, u32)], processes: usize) -> Self {
        let times_of = |name: &str| named.iter().find(|(known, _)| *known == name).map(|(_, times)| *times);
        let (faults, times) =
            faults::all().into_iter().filter_map(|fault| times_of(fault.name()).map(|times| (fault, times))).unzip();
        Self {
            processes,
            rate: 60.0,
            cancel_percent: 5,
            repeat_percent: 3,
            faulty: Faulty::default(),
            faults,
            times,
            followed_percent: 0,
            until: Until::Rounds { rounds: 1, events: 0 },
            settle: Duration::from_secs(60),
            rebuilds: false,
            defect: None,
            least: Least::default(),
        }
    }
}

impl Form {
    /// Of its faults only those of these names; all if none is named.
    pub fn only(mut self, names: &[String]) -> anyhow::Result<Self> {
        for name in names {
            ensure!(self.faults.iter().any(|fault| fault.name() == name), "the fault {name:?} does not come here");
        }
        if names.is_empty() {
            return Ok(self);
        }
        let chosen =
            self.faults.into_iter().zip(self.times).filter(|(fault, _)| names.iter().any(|name| name == fault.name()));
        (self.faults, self.times) = chosen.unzip();
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_finds_all_its_faults() {
        assert_eq!(Form::short().faults.len(), SHORT.len());
    }

    #[test]
    fn a_fault_that_is_not_possible_is_left_out() {
        let names = |processes, has_kafka_proxy| -> Vec<&'static str> {
            let form = Form::full(1.0, processes, has_kafka_proxy, &[]).unwrap();
            form.faults.iter().map(|fault| fault.name()).collect()
        };
        assert!(names(2, true).contains(&"stopped past its lease") && names(2, true).contains(&"kafka slow"));
        assert!(!names(1, true).contains(&"stopped past its lease"));
        assert!(!names(2, false).contains(&"kafka slow"));
    }

    #[test]
    fn an_unknown_fault_is_refused() {
        assert!(Form::full(1.0, 1, false, &["earthquake".into()]).is_err());
    }
}
