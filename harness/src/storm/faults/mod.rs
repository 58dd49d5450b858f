//! What can be broken. One fault = one file and one line in [`all`].

mod backend_killed;
mod backend_terminated;
mod crash_point;
mod kafka_and_process;
mod kafka_killed;
mod kafka_stopped;
mod kafka_wiped;
mod member_joins;
mod model_rebuilt;
mod postgres_and_process;
mod postgres_immediate;
mod postmaster_killed;
mod process_killed;
mod process_stopped;
mod stopped_past_lease;
mod wires;

use std::time::Duration;

use futures::future::BoxFuture;

use super::proxy::Weather;
use super::stage::Stage;
use crate::load::Chance;

/// What must be there for a fault to make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    TwoProcesses,
    /// A proxy that the broker tells its clients about.
    KafkaProxy,
}

/// What was done, until it is healed.
#[derive(Clone, Debug)]
pub struct Wound {
    /// In a few words, for whoever reads along.
    pub what: String,
    /// The process concerned, if one is.
    pub node: usize,
    /// How long it is left so.
    pub lasts: Duration,
}

impl Wound {
    fn of(what: impl Into<String>, lasts: Duration) -> Self {
        Self { what: what.into(), node: 0, lasts }
    }

    fn of_node(what: impl Into<String>, node: usize, lasts: Duration) -> Self {
        Self { what: what.into(), node, lasts }
    }
}

/// Something that goes wrong, and is mended.
pub trait Fault: Send + Sync {
    /// In reports and for `--only`.
    fn name(&self) -> &'static str;

    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    /// How often in one round of the schedule.
    fn times(&self) -> u32 {
        1
    }

    /// Whether it ends a process, for the count of kills.
    fn kills_a_process(&self) -> bool {
        false
    }

    /// Whether the broker loses what it had.
    fn empties_kafka(&self) -> bool {
        false
    }

    /// Breaks it. All chance comes from `chance`.
    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>>;

    /// Mends it; returns when what was broken is up again, not when the system has caught up.
    fn heal<'a>(&'a self, stage: &'a mut Stage, wound: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>>;
}

/// Every fault there is.
pub fn all() -> Vec<Box<dyn Fault>> {
    vec![
        Box::new(process_killed::ProcessKilled),
        Box::new(process_stopped::ProcessStopped),
        Box::new(stopped_past_lease::StoppedPastLease),
        Box::new(crash_point::CrashPoint),
        Box::new(member_joins::MemberJoins),
        Box::new(model_rebuilt::ModelRebuilt::default()),
        Box::new(backend_terminated::BackendTerminated),
        Box::new(backend_killed::BackendKilled),
        Box::new(postmaster_killed::PostmasterKilled),
        Box::new(postgres_immediate::PostgresImmediate),
        Box::new(postgres_and_process::PostgresAndProcess),
        Box::new(kafka_killed::KafkaKilled),
        Box::new(kafka_stopped::KafkaStopped),
        Box::new(kafka_and_process::KafkaAndProcess),
        Box::new(kafka_wiped::KafkaWiped),
        Box::new(wires::PostgresWire("postgres cut off", |_| Weather::Cut)),
        Box::new(wires::PostgresWire("postgres slow", wires::slow)),
        Box::new(wires::PostgresWire("postgres half-open", |_| Weather::Silent)),
        Box::new(wires::KafkaWire("kafka cut off", |_| Weather::Cut)),
        Box::new(wires::KafkaWire("kafka slow", wires::slow)),
        Box::new(wires::KafkaWire("kafka half-open", |_| Weather::Silent)),
    ]
}

fn seconds(chance: &mut Chance, least: u64, most: u64) -> Duration {
    Duration::from_millis(chance.between(least * 1_000, most * 1_000))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_differ() {
        let faults = all();
        let names: HashSet<&str> = faults.iter().map(|fault| fault.name()).collect();
        assert_eq!(names.len(), faults.len());
    }
}
