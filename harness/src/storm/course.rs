//! The course of one storm: traffic, fault after fault, rest, judgement.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::faults::Fault;
use super::forms::{Form, Until};
use super::judge::{self, Answers, Verdict};
use super::lag::{Lag, Recovery};
use super::operator::Operator;
use super::rebuilt;
use super::report::{Kind, Report};
use super::scenarios::Scenario;
use super::schedule::{Cycle, Schedule};
use super::setup::{self, Addresses, Ground, Load};
use super::stage::Stage;
use super::watch::Watch;
use crate::clock;
use crate::progress::Progress;

/// From a fault's end to the time when no order waits longer than is allowed.
const RECOVERS_WITHIN: Duration = Duration::from_secs(30);
/// Events a second that are published again, at least, and read again by every consumer, where Kafka has lost them: new ones
/// come behind them, since a topic keeps its order.
const PUBLISHED_AGAIN: i64 = 10_000;
/// The same before the first fault, when everything starts cold.
const BEGINS_WITHIN: Duration = Duration::from_secs(60);
/// How long is looked at what a wait is while nothing is broken.
const UNBROKEN: Duration = Duration::from_secs(5);
const CAUGHT_UP: &str = "30 s after a fault is healed no order waits longer than a second, or than three times the longest wait \
     before the first fault; a second later for every 10,000 events that Kafka has lost";
/// Nothing starts anew while nothing is wrong.
const QUIET: Duration = Duration::from_secs(2);
/// Memory of one process.
const MEMORY_MIB: f64 = 768.0;

/// What a storm is made of.
pub struct Storm<'a> {
    pub ground: &'a Ground,
    pub addresses: &'a Addresses,
    pub scenario: &'a dyn Scenario,
    pub form: Form,
    pub seed: u64,
}

/// What is judged as the storm goes.
struct Tally {
    kinds: Vec<Kind>,
    caught_up: Verdict,
    alive: Verdict,
    /// Kafka has lost the log, and nobody has seen that all of it is there again.
    is_emptied: bool,
}

impl Storm<'_> {
    pub async fn run(self, progress: &Progress) -> anyhow::Result<Report> {
        let began = Instant::now();
        progress.show("starting ordo, all roles");
        let (mut stage, own) = setup::set(self.ground, self.addresses, self.scenario, &self.form).await?;
        self.scenario.begin(&stage).await?;
        let watch = Watch::over(stage.nodes.iter().map(|node| node.sight.clone()).collect())?;
        let mut lag = Lag::of(stage.db.clone(), self.scenario.waiting_users()).await?;
        let mut load = Load::start(self.ground, self.scenario, &self.form, self.seed, &stage.nodes)?;
        let first = lag.recover(clock::now(), BEGINS_WITHIN).await;
        load.runs()?;
        first.confirmed.context("no order was confirmed before the first fault: see the logs in the results")?;
        let mut tally = self.tally();
        let (ordinary, allowed) = lag.learn_ordinary(UNBROKEN).await;
        progress.note(&format!(
            "{:>4.0} s  orders come in and are decided within {:.2} s; after a fault {:.1} s are allowed",
            spent(began),
            ordinary.as_secs_f64(),
            allowed.as_secs_f64()
        ));
        self.strike(&mut stage, &mut lag, &mut load, &mut tally, began, progress).await?;

        progress.note(&format!("{:>4.0} s  mending, waiting for the orders under way, checking", spent(began)));
        stage.mend().await?;
        load.stop().await?;
        let mut ending = self.scenario.end(&mut stage, self.seed, self.form.settle).await?;
        progress.show("checking");
        let mut rules = self.scenario.checks();
        if !self.form.faults.iter().any(|fault| fault.empties_kafka()) {
            rules.push("--kafka-kept".to_owned());
        }
        let checked = judge::check(self.ground, &own, &load.histories, self.form.settle, rules).await?;
        // The checker has waited until everything is at rest.
        if self.form.rebuilds {
            let operator = Operator::at(&stage.nodes[0].sight.ops_url)?;
            ending.verdicts.push(rebuilt::equal_live(&operator, self.form.settle, progress).await?);
        }
        progress.show("looking whether anything starts anew");
        let quiet = quiet(&watch).await;
        tally.look_for_ends(&mut stage)?;
        let answers = Answers::read(&load.histories)?;
        stage.kill_nodes().await;
        stage.db.close().await;

        let seen = watch.seen();
        let mut memory = Verdict::of("I10", "memory of a process stays within bounds");
        memory.check(seen.most_memory_mib <= MEMORY_MIB, || {
            format!("{:.0} MiB, allowed are {MEMORY_MIB}", seen.most_memory_mib)
        });
        let mut verdicts = checked.findings;
        verdicts.extend([tally.caught_up, tally.alive, quiet, memory]);
        verdicts.extend(answers.verdicts());
        verdicts.extend(ending.verdicts);
        let report = Report {
            seed: self.seed,
            scenario: self.scenario.name().to_owned(),
            at: clock::now(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processes: self.form.processes,
            rate: self.form.rate,
            ordinary_wait: ordinary.as_secs_f64(),
            allowed_wait: allowed.as_secs_f64(),
            seconds: spent(began),
            kinds: tally.kinds,
            events: checked.events,
            cut_lines: checked.cut_lines,
            attempts: answers.attempts,
            accepted: answers.accepted,
            refused_for_now: answers.refused_for_now,
            unanswered: answers.unanswered,
            records_repeated: checked.duplicates,
            repeats_absorbed: seen.absorbed,
            filled_from_log: seen.filled,
            batches_resent: seen.resent,
            restarts: seen.restarts,
            escalations: seen.escalations,
            most_memory_mib: seen.most_memory_mib,
            figures: ending.figures,
            verdicts,
        };
        if report.holds() {
            own.drop().await?;
        }
        Ok(report)
    }

    fn tally(&self) -> Tally {
        let kinds = self.form.faults.iter().map(|fault| Kind::of(fault.name(), fault.kills_a_process())).collect();
        Tally {
            kinds,
            caught_up: Verdict::of("I9", CAUGHT_UP),
            alive: Verdict::of("I9", "no process ends by itself"),
            is_emptied: false,
        }
    }

    async fn strike(
        &self,
        stage: &mut Stage,
        lag: &mut Lag,
        load: &mut Load,
        tally: &mut Tally,
        began: Instant,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let first = Instant::now();
        let mut schedule = Schedule::of(self.seed, self.form.times.clone(), self.form.followed_percent);
        loop {
            let is_over = match self.form.until {
                Until::Elapsed { least, most, rounds } => {
                    first.elapsed() >= most || first.elapsed() >= least && schedule.rounds_done() >= rounds
                }
                Until::Rounds { rounds, events } => schedule.rounds_done() >= rounds && lag.events() >= events,
            };
            let Some(cycle) = schedule.next().filter(|_| !is_over) else { return Ok(()) };
            let fault = &self.form.faults[cycle.fault];
            let line = format!("{:>4.0} s  {:<32}", spent(began), fault.name());
            tally.is_emptied |= fault.empties_kafka();
            let within = tally.recovers_within(lag.events());
            let (what, recovery) = self
                .one((&**fault, within), &cycle, &schedule, stage, lag)
                .await
                .with_context(|| format!("cycle {}, {}", cycle.number + 1, fault.name()))?;
            progress.note(&format!("{line}{what}{}", said(recovery.as_ref())));
            tally.kinds[cycle.fault].add(recovery.as_ref());
            if let Some(recovery) = recovery {
                tally.is_emptied &= recovery.caught_up.is_none();
                tally.caught_up.check(recovery.caught_up.is_some(), || {
                    format!("cycle {} ({}, {what}): {recovery:?}", cycle.number + 1, fault.name())
                });
            }
            tally.look_for_ends(stage)?;
            load.runs()?;
        }
    }

    /// One fault, from its beginning until the system has caught up, unless the next one is to come at once.
    async fn one(
        &self,
        (fault, within): (&dyn Fault, Duration),
        cycle: &Cycle,
        schedule: &Schedule,
        stage: &mut Stage,
        lag: &mut Lag,
    ) -> anyhow::Result<(String, Option<Recovery>)> {
        let mut chance = schedule.chance(cycle);
        tokio::time::sleep(Duration::from_millis(chance.between(200, 1_200))).await;
        let wound = fault.inject(stage, &mut chance).await?;
        tokio::time::sleep(wound.lasts).await;
        fault.heal(stage, &wound).await?;
        let recovery = match cycle.is_followed_at_once {
            true => None,
            false => Some(lag.recover(clock::now(), within).await),
        };
        Ok((wound.what, recovery))
    }
}

impl Tally {
    fn recovers_within(&self, events: i64) -> Duration {
        let again = if self.is_emptied { events / PUBLISHED_AGAIN } else { 0 };
        RECOVERS_WITHIN + Duration::from_secs(again.unsigned_abs())
    }

    /// A process that ended without being told to is started again, so that the storm goes on.
    fn look_for_ends(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        for node in &mut stage.nodes {
            let ended = node.ended()?;
            self.alive.check(ended.is_none(), || {
                format!("{} ended with {}; {}", node.name(), ended.unwrap_or_default(), node.last_words())
            });
            if ended.is_some() {
                node.start()?;
            }
        }
        Ok(())
    }
}

/// Nothing comes in and nothing is broken, so no actor may still be starting anew.
async fn quiet(watch: &Watch) -> Verdict {
    let mut verdict = Verdict::of("I9", "nothing restarts once all is healed and decided");
    tokio::time::sleep(QUIET).await;
    let before = watch.seen().restarts;
    tokio::time::sleep(QUIET).await;
    let restarts = watch.seen().restarts - before;
    verdict.check(restarts == 0.0, || format!("{restarts} restarts within {QUIET:?}"));
    verdict
}

fn spent(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}

fn said(recovery: Option<&Recovery>) -> String {
    let Some(Recovery { accepted, confirmed, caught_up }) = recovery else {
        return "; the next one at once".into();
    };
    let seconds = |of: &Option<f64>| of.map_or("never".into(), |of| format!("{of:.1} s"));
    format!(
        "; accepts after {}, confirms after {}, caught up after {}",
        seconds(accepted),
        seconds(confirmed),
        seconds(caught_up)
    )
}
