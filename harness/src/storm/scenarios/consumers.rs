//! Orders on which each consumer fails: some can never be read, some not yet, on some it panics. All others go on meanwhile,
//! and in the end an operator mends what failed.

mod mending;

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::json;

use super::{Ending, Scenario, Size, Traffic, orders};
use crate::storm::forms::{Faulty, Form, Until};
use crate::storm::operator::Operator;
use crate::storm::stage::Stage;

pub const INVENTORY: &str = "inventory";
pub const ORDERS: &str = "orders";
pub const NOTIFICATION: &str = "notification";
const CONSUMERS: [&str; 3] = [INVENTORY, ORDERS, NOTIFICATION];

pub const POISON: &str = "poison";
pub const TRANSIENT: &str = "transient";
pub const PANIC: &str = "panic";
const KINDS: [&str; 3] = [POISON, TRANSIENT, PANIC];

/// How often an event fails that then succeeds.
const TIMES: u32 = 2;

/// Ten cycles: what ends a process, what ends a broker, and what moves partitions about.
const FAULTS: [(&str, u32); 4] =
    [("process killed", 4), ("kafka killed", 2), ("kafka stopped", 1), ("member joins and leaves", 3)];
const SHORT: [(&str, u32); 3] = [("process killed", 1), ("kafka killed", 1), ("member joins and leaves", 1)];
/// What ten cycles take on two cores: 20 minutes are 50 of them.
const MINUTES_A_ROUND: f64 = 4.0;
/// Events that a full storm has at least, some five to an order.
const EVENTS_A_ROUND: i64 = 20_000;

pub struct Consumers;

impl Scenario for Consumers {
    fn name(&self) -> &'static str {
        "consumers"
    }

    fn form(&self, size: &Size<'_>) -> anyhow::Result<Form> {
        if size.is_short {
            // More of them than in the full form, or there would be none among so few.
            let faulty = Faulty { poison: 20, transient: 20, panic: 10 };
            return Ok(Form { rate: 15.0, faulty, ..Form::of(&SHORT, 1) });
        }
        let rounds = (size.minutes / MINUTES_A_ROUND).round().max(1.0) as u64;
        Ok(Form {
            rate: 60.0,
            faulty: Faulty { poison: 10, transient: 10, panic: 1 },
            followed_percent: 35,
            until: Until::Rounds { rounds, events: EVENTS_A_ROUND * rounds as i64 },
            settle: Duration::from_secs(120),
            rebuilds: true,
            ..Form::of(&FAULTS, size.processes).only(size.only)?
        })
    }

    fn load(&self, traffic: &Traffic<'_>) -> Vec<String> {
        let mut arguments = orders::arguments(traffic);
        for (consumer, kind) in marks() {
            let per_mille = match kind {
                POISON => traffic.faulty.poison,
                TRANSIENT => traffic.faulty.transient,
                _ => traffic.faulty.panic,
            };
            let user = user(consumer, kind);
            let product = if sees_users(consumer) { String::new() } else { format!("@{user}") };
            arguments.extend(["--mark".to_owned(), format!("{user}={per_mille}{product}")]);
        }
        arguments
    }

    fn environment(&self) -> Vec<(&'static str, &'static str)> {
        vec![
            ("ORDO_SUBSCRIPTION__FAULT_PANEL", "true"),
            ("ORDO_SUBSCRIPTION__PARKED_RETRIES", "1s 2s 4s"),
            // Every letter keeps its stream aside until the end.
            ("ORDO_SUBSCRIPTION__PARKED_STREAMS", "20000"),
            ("ORDO_SUBSCRIPTION__SUSPECT_WAIT", "1s"),
        ]
    }

    fn waiting_users(&self) -> Vec<String> {
        marks().map(|(consumer, kind)| user(consumer, kind)).collect()
    }

    fn checks(&self) -> Vec<String> {
        let given_up = marks().filter(|(_, kind)| *kind != TRANSIENT);
        given_up
            .flat_map(|(consumer, kind)| ["--gives-up".into(), format!("{consumer}={}", user(consumer, kind))])
            .collect()
    }

    fn begin<'a>(&'a self, stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async move {
            let operator = Operator::at(&stage.nodes[0].sight.ops_url)?;
            for (consumer, kind) in marks() {
                let (pointer, equals) = (pointer(consumer), user(consumer, kind));
                let times = (kind == TRANSIENT).then_some(TIMES);
                let rule =
                    json!({ "consumer": consumer, "kind": kind, "pointer": pointer, "equals": equals, "times": times });
                operator.act("faults/set", rule).await?;
            }
            Ok(())
        })
    }

    fn end<'a>(&'a self, stage: &'a mut Stage, seed: u64, within: Duration) -> BoxFuture<'a, anyhow::Result<Ending>> {
        Box::pin(mending::mend(stage, seed, within))
    }
}

fn marks() -> impl Iterator<Item = (&'static str, &'static str)> {
    CONSUMERS.into_iter().flat_map(|consumer| KINDS.map(|kind| (consumer, kind)))
}

/// The user of the orders that a consumer is to fail on in one way; for a consumer that sees no user, the product, too.
fn user(consumer: &str, kind: &str) -> String {
    format!("{consumer}-{kind}")
}

/// What inventory decides names no user.
fn sees_users(consumer: &str) -> bool {
    consumer != ORDERS
}

/// Where a consumer finds the mark in the payloads it reads.
fn pointer(consumer: &str) -> &'static str {
    if sees_users(consumer) { "/userId" } else { "/items/0/productId" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(is_short: bool) -> Size<'static> {
        Size { is_short, minutes: 20.0, processes: 2, has_kafka_proxy: true, only: &[] }
    }

    #[test]
    fn the_full_form_has_fifty_cycles_and_a_hundred_thousand_events() {
        let form = Consumers.form(&size(false)).unwrap();
        let Until::Rounds { rounds, events } = form.until else { panic!("{:?}", form.until) };
        assert_eq!((u64::from(form.times.iter().sum::<u32>()) * rounds, events), (50, 100_000));
        assert_eq!(form.faults.len(), FAULTS.len());
    }

    #[test]
    fn the_short_form_has_each_fault_once() {
        let form = Consumers.form(&size(true)).unwrap();
        assert_eq!((form.faults.len(), form.times.iter().sum::<u32>(), form.processes), (3, 3, 1));
    }
}
