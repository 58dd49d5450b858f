//! What a storm hits: its traffic, its faults, and what is done before and after. One scenario = one file and one line in
//! [`ALL`].

mod consumers;
mod models;
mod orders;

use std::path::Path;
use std::time::Duration;

use futures::future::BoxFuture;

use super::forms::{Faulty, Form};
use super::judge::Verdict;
use super::stage::Stage;

/// What the load of one process is started with.
pub struct Traffic<'a> {
    pub url: &'a str,
    /// Orders a second, due by the clock.
    pub rate: f64,
    pub seed: u64,
    pub cancel_percent: u8,
    pub repeat_percent: u8,
    pub faulty: Faulty,
    /// Longest wait for one answer.
    pub timeout: Duration,
    pub history: &'a Path,
}

/// How big a storm is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Size<'a> {
    /// For every change, within a minute; nothing else counts then.
    pub is_short: bool,
    pub minutes: f64,
    pub processes: usize,
    pub has_kafka_proxy: bool,
    /// Only the faults of these names; all if none is named.
    pub only: &'a [String],
}

/// What came of a scenario's own end.
#[derive(Debug, Default)]
pub struct Ending {
    pub verdicts: Vec<Verdict>,
    /// For whoever reads the report.
    pub figures: Vec<(String, String)>,
}

pub trait Scenario: Sync {
    fn name(&self) -> &'static str;

    fn form(&self, size: &Size<'_>) -> anyhow::Result<Form> {
        match size.is_short {
            true => Ok(Form::short()),
            false => Form::full(size.minutes, size.processes, size.has_kafka_proxy, size.only),
        }
    }

    /// Arguments of `load`.
    fn load(&self, traffic: &Traffic<'_>) -> Vec<String>;

    /// More in the environment of every process.
    fn environment(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    /// Users whose orders are meant to wait: nobody is behind because of them.
    fn waiting_users(&self) -> Vec<String> {
        Vec::new()
    }

    /// More arguments of `checker`.
    fn checks(&self) -> Vec<String> {
        Vec::new()
    }

    /// Once everything runs, before the first order.
    fn begin<'a>(&'a self, _stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Once all is mended and no order comes in any more, before it is checked.
    fn end<'a>(
        &'a self,
        _stage: &'a mut Stage,
        _seed: u64,
        _within: Duration,
    ) -> BoxFuture<'a, anyhow::Result<Ending>> {
        Box::pin(async { Ok(Ending::default()) })
    }
}

pub const ALL: &[&dyn Scenario] = &[&orders::Orders, &consumers::Consumers, &models::Models];
