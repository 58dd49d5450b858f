//! The fault panel: events of a consumer fail on purpose, by rules that are rows. For demonstrations and tests; off unless
//! `subscription.fault_panel` says otherwise, and where it is off nothing is asked and nothing fails.

mod rule;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::PgConnection;
use tokio::sync::Mutex;
use uuid::Uuid;

pub use rule::{Kind, Rule, Wanted, clear, list, lock, set};

use super::{Blamed, Config, Delivered, Failure, Subscription};

/// How long rules that were read pass for the newest.
const READ_EVERY: Duration = Duration::from_millis(500);
/// Between two sleeps of one transaction: Postgres ends one that is idle for too long.
const AWAKE: &str = include_str!("sql/awake.sql");

/// The panel of a process, shared by its subscriptions.
#[derive(Clone, Debug, Default)]
pub struct Panel(Option<Arc<Mutex<Memory>>>);

/// What a process knows of the rules, and what they have done in it.
#[derive(Debug, Default)]
struct Memory {
    rules: Arc<[Rule]>,
    read_at: Option<Instant>,
    /// How often a rule has struck an event.
    struck: HashMap<(Uuid, Uuid), i32>,
}

impl Panel {
    /// On or off, as the configuration says.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        if config.fault_panel {
            tracing::warn!("the fault panel is on: operators can make events fail");
        }
        Self(config.fault_panel.then(Arc::default))
    }

    /// Whether rules are looked at.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Fails if one of these events is to fail; sleeps where one is to be slow. A panic is a real one, so this is called
    /// where the handler's are caught.
    ///
    /// # Errors
    /// The failure that the rule asks for, with its culprit; what Postgres says.
    pub(super) async fn strike(
        &self,
        subscription: &Subscription,
        events: &[&Delivered],
        db: &mut PgConnection,
    ) -> Result<(), Blamed> {
        let Some(memory) = &self.0 else { return Ok(()) };
        let rules = memory.lock().await.rules(db).await.map_err(Failure::from)?;
        let rules: Vec<&Rule> = rules.iter().filter(|rule| rule.consumer == subscription.name).collect();
        if rules.is_empty() {
            return Ok(());
        }
        // What the consumer does not read passes it by, here as well.
        for (place, delivered) in events.iter().enumerate().filter(|(_, delivered)| subscription.reads(delivered)) {
            let Ok(payload) = serde_json::from_str::<Value>(&delivered.event.payload) else { continue };
            for rule in rules.iter().filter(|rule| rule.is_about(&payload)) {
                if memory.lock().await.spend(rule, delivered.event_id) {
                    act(rule, place, delivered, db).await?;
                }
            }
        }
        Ok(())
    }
}

impl Memory {
    /// The rules, read anew if they have been known for a while.
    async fn rules(&mut self, db: &mut PgConnection) -> sqlx::Result<Arc<[Rule]>> {
        if self.read_at.is_none_or(|at| at.elapsed() >= READ_EVERY) {
            self.rules = list(db).await?.into();
            self.read_at = Some(Instant::now());
            let rules = &self.rules;
            self.struck.retain(|(rule_id, _), _| rules.iter().any(|rule| rule.rule_id == *rule_id));
        }
        Ok(Arc::clone(&self.rules))
    }

    /// Whether the rule strikes this event once more.
    fn spend(&mut self, rule: &Rule, event_id: Uuid) -> bool {
        let most = match rule.kind {
            Kind::Slow => Some(1),
            _ => rule.times,
        };
        let Some(most) = most else { return true };
        let struck = self.struck.entry((rule.rule_id, event_id)).or_default();
        let strikes = *struck < most;
        *struck += i32::from(strikes);
        strikes
    }
}

async fn act(rule: &Rule, place: usize, delivered: &Delivered, db: &mut PgConnection) -> Result<(), Blamed> {
    let said = format!("fault rule {}: {} is {:?}", rule.rule_id, rule.pointer, rule.equals);
    let blame = |failure| Err(Blamed { failure, culprit: Some(place) });
    match rule.kind {
        Kind::Poison => blame(Failure::poison(said)),
        Kind::Permanent => blame(Failure::permanent(said)),
        Kind::Transient => blame(Failure::transient(said)),
        Kind::Panic => panic!("{said}"),
        Kind::Abort => {
            tracing::warn!(rule = %rule.rule_id, event = %delivered.event_id, "this process aborts on purpose");
            std::process::abort()
        }
        Kind::Slow => {
            tokio::time::sleep(rule.pause()).await;
            sqlx::query(AWAKE).execute(db).await.map_err(Failure::from)?;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rule::fabricated::rule;
    use super::*;

    #[test]
    fn an_event_fails_so_often_and_then_succeeds_whatever_others_do() {
        let mut memory = Memory::default();
        let (rule, [one, other]) = (Rule { times: Some(2), ..rule(Kind::Transient) }, [1, 2].map(Uuid::from_u128));
        assert_eq!([one, one, other, one].map(|event| memory.spend(&rule, event)), [true, true, true, false]);
    }

    #[test]
    fn without_a_number_it_fails_for_ever_and_is_slow_once() {
        let mut memory = Memory::default();
        let event = Uuid::from_u128(1);
        assert!((0..100).all(|_| memory.spend(&rule(Kind::Poison), event)));
        let slow = rule(Kind::Slow);
        assert_eq!([0, 1].map(|_| memory.spend(&slow, event)), [true, false]);
    }

    #[test]
    fn the_panel_is_off_unless_it_is_switched_on() {
        assert!(!Panel::of(&Config::default()).is_on());
        assert!(Panel::of(&Config { fault_panel: true, ..Config::default() }).is_on());
    }
}
