//! Orders of many products, some scarce, some cancelled around their confirmation, some posted twice.

use super::{Scenario, Traffic};

pub struct Orders;

impl Scenario for Orders {
    fn name(&self) -> &'static str {
        "orders"
    }

    fn load(&self, traffic: &Traffic<'_>) -> Vec<String> {
        arguments(traffic)
    }

    fn environment(&self) -> Vec<(&'static str, &'static str)> {
        // Here processes are killed far more often than anywhere else, and never because of an event.
        vec![("ORDO_SUBSCRIPTION__SUSPECT_WAIT", "1s")]
    }
}

/// The same orders, whatever else they are for.
pub fn arguments(traffic: &Traffic<'_>) -> Vec<String> {
    let Traffic { url, rate, seed, cancel_percent, repeat_percent, timeout, history, .. } = traffic;
    let text = format!(
        "--url {url} --rate {rate} --connections 64 --seconds 86400 --seed {seed} --products 40 --stock 1000000 \
         --scarce 5 --scarce-stock 300 --cancel-percent {cancel_percent} --cancel-within 300ms --repeat-percent {repeat_percent} \
         --timeout {}ms --give-up 90s --json --history",
        timeout.as_millis()
    );
    text.split_whitespace().map(str::to_owned).chain([history.display().to_string()]).collect()
}
