//! Events over which processes have ended: they run one by one, once this process has been up for a while, until what was
//! under way then has run.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::Arguments;
use crate::clock;
use crate::subscription::{Admitted, Claim, Delivered, Work, checkpoint};
use crate::supervision::Crash;
use crate::telemetry::alarm;

/// How long after its claim a partition hands out what was under way when the process before ended.
const SUSPECT_FOR: Duration = Duration::from_secs(10);

/// How much is left of it.
pub(super) struct Suspect {
    /// Events recorded before this time are suspect: whatever ends processes was there when the first one ended.
    before: Option<DateTime<Utc>>,
    left: usize,
    claimed_at: Instant,
}

impl Suspect {
    pub(super) fn of(claim: Claim, batch_events: usize) -> Self {
        Self { before: claim.suspect_before, left: batch_events, claimed_at: Instant::now() }
    }

    /// The work that a batch makes, and how long to wait before it: a process that is killed for other reasons, again and
    /// again, is not to be taken for one that dies of an event.
    pub(super) fn work(&mut self, arguments: &Arguments, admitted: Admitted, limit: usize) -> (Work, Duration) {
        let subscription = &arguments.subscription;
        let Some(before) = self.before.filter(|_| !admitted.entries.is_empty() && self.left > 0) else {
            return (Work::on(admitted, limit), Duration::ZERO);
        };
        self.left = self.left.saturating_sub(admitted.entries.len());
        let why = "processes ended over the events that follow; they run one by one";
        alarm::stand(alarm::SUSPECT_EVENTS, &arguments.lane.to_string(), why);
        let wait = subscription.config.suspect_wait.saturating_sub(clock::up_for());
        // What the handler never sees ends no process.
        let is_suspect = |delivered: &Delivered| delivered.event.recorded_at <= before && subscription.reads(delivered);
        (Work::one_by_one(admitted, limit, is_suspect), wait)
    }

    /// Nothing has come: what was under way has perhaps been read by now, and has run.
    pub(super) async fn look(&mut self, arguments: &Arguments, epoch: i64) -> Result<(), Crash> {
        let Arguments { lane, subscription, .. } = arguments;
        let is_over = self.left == 0 || self.claimed_at.elapsed() > subscription.config.suspect_wait + SUSPECT_FOR;
        if self.before.is_some() && is_over {
            checkpoint::cleared(lane, epoch, &subscription.db).await.map_err(Crash::dependency_down)?;
            self.before = None;
            alarm::clear(alarm::SUSPECT_EVENTS, &lane.to_string());
        }
        Ok(())
    }
}
