//! What a partition does while nothing comes: keeps its lease, looks for what its topic lacks, and whether it is still its
//! own.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Arguments, Held, Next};
use crate::subscription::{Admitted, admit, checkpoint, parking};
use crate::supervision::Crash;

/// Looks in a row, of 200 ms each, that find Kafka silent before the log is asked whether something is missing. Counted
/// and not timed: a process that was stopped itself must not take its own absence for Kafka's silence.
const MISSING_AFTER: u32 = 25;
/// Fills in a row, no record between them, after which the client is taken for stuck: librdkafka can stop fetching and keep
/// its connection.
const STUCK_AFTER: u32 = 3;
/// How often an idle partition looks whether it has been moved.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Held {
    /// Kafka has been silent for a while: what the relay has published and never came is looked for in the log.
    pub(super) async fn missing(&mut self, arguments: &Arguments) -> Result<Option<Admitted>, Crash> {
        let Arguments { lane, subscription, .. } = arguments;
        self.silent_looks = self.silent_looks.saturating_add(1);
        if subscription.handler.is_none() || self.silent_looks < MISSING_AFTER {
            return Ok(None);
        }
        let missing = admit::missing(lane, self.next_offset, self.position, &subscription.db).await;
        let missing = missing.map_err(Crash::dependency_down)?;
        // While there is more, it goes on at once.
        if missing.is_none() {
            self.silent_looks = 0;
        } else {
            self.silent_fills = self.silent_fills.saturating_add(1);
            // Once may be an event that the topic has lost. What is published all the time and never comes is there.
            if self.silent_fills >= STUCK_AFTER {
                self.silent_fills = 0;
                self.feed.stuck();
            }
        }
        Ok(missing)
    }

    /// Nothing came: the lease is kept, and a newer owner noticed.
    pub(super) async fn keep(&mut self, arguments: &Arguments) -> Result<Next, Crash> {
        let Arguments { lane, subscription, .. } = arguments;
        let Some(lease) = subscription.lease else {
            return self.look_whether_it_is_ours(arguments).await;
        };
        if self.unsaved {
            return self.save(arguments).await;
        }
        if self.renewed_at.elapsed() < lease / 3 {
            return Ok(Next::Now);
        }
        let is_ours = checkpoint::renew(lane, self.claim.epoch, lease, &subscription.db).await;
        if is_ours.map_err(Crash::dependency_down)? {
            self.renewed_at = Instant::now();
            Ok(Next::Now)
        } else {
            Err(Crash::dependency_down("another process has taken the lease"))
        }
    }

    /// Nothing of a consumer's moves while it is idle, and so no fence tells it that an operator has moved its place.
    async fn look_whether_it_is_ours(&mut self, arguments: &Arguments) -> Result<Next, Crash> {
        if self.renewed_at.elapsed() < LOOK_EVERY {
            return Ok(Next::Now);
        }
        self.renewed_at = Instant::now();
        let is_ours = checkpoint::is_held(&arguments.lane, self.claim.epoch, &arguments.subscription.db).await;
        if !is_ours.map_err(Crash::dependency_down)? {
            return Ok(Next::End);
        }
        if self.aside.load(Ordering::Relaxed) {
            // Nobody but this worker sets anything aside, and it is idle.
            let any = parking::any(&arguments.lane, &arguments.subscription.db).await;
            self.aside.store(any.map_err(Crash::dependency_down)?, Ordering::Relaxed);
        }
        Ok(Next::Now)
    }
}
