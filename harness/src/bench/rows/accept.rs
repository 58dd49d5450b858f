//! The open loop that the rows of acceptance share: orders come in by the clock, at half of what was accepted at most.

use anyhow::ensure;

use crate::bench::measure::Measure;
use crate::bench::stage::Stage;
use crate::load::Summary;

/// So long the same load runs before a window, so that what is stopped is stopped at work.
pub const LEAD_IN_SECONDS: u64 = 1;

/// One measured window.
pub async fn window(stage: &Stage) -> anyhow::Result<Vec<Measure>> {
    let rate = stage.half_load().await?;
    let summary = stage.place_orders_at(rate, stage.seconds).await?;
    ensure!(summary.accepted > 0, "no order was accepted; see the service's log:\n{summary}");
    Ok(measures(rate, &summary))
}

/// The load of a window, for other ends than measuring it.
pub async fn unmeasured(stage: &Stage, seconds: u64) -> anyhow::Result<()> {
    let rate = stage.half_load().await?;
    stage.place_orders_at(rate, seconds).await.map(drop)
}

/// What is still to be carried to its end, and how long that takes.
pub async fn leftovers(stage: &Stage) -> anyhow::Result<Vec<Measure>> {
    let mut measures = vec![Measure::new("backlog left", "orders", stage.counts().await?.backlog() as f64)];
    let drained = stage.drain().await?;
    measures.extend(drained.map(|drained| Measure::new("drained after", "s", drained.as_secs_f64())));
    Ok(measures)
}

fn measures(rate: f64, summary: &Summary) -> Vec<Measure> {
    let refused: u64 = summary.refused.values().sum();
    vec![
        Measure::new("p99", "ms", summary.p99_ms),
        Measure::new("p50", "ms", summary.p50_ms),
        Measure::new("longest", "ms", summary.max_ms),
        Measure::new(ASKED, "orders/s", rate),
        Measure::new("accepted", "orders/s", summary.orders_per_second),
        Measure::new("refused or unknown", "orders", (refused + summary.unknown) as f64),
        Measure::new("sent again", "requests", summary.retries as f64),
    ]
}

/// The rate of the open loop.
pub const ASKED: &str = "asked";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_headline_is_p99_and_what_was_not_accepted_is_told() {
        let summary = Summary {
            accepted: 10,
            refused: BTreeMap::from([("unknown_product".into(), 2), ("503".into(), 1)]),
            unknown: 4,
            retries: 5,
            cancels: BTreeMap::new(),
            repeats: BTreeMap::new(),
            seconds: 1.0,
            orders_per_second: 10.0,
            p50_ms: 1.0,
            p90_ms: 2.0,
            p99_ms: 3.0,
            max_ms: 4.0,
        };
        let measures = measures(12.0, &summary);
        let value = |name| measures.iter().find(|measure| measure.name == name).map(|measure| measure.value);
        assert_eq!(measures[0], Measure::new("p99", "ms", 3.0));
        assert_eq!(value("refused or unknown"), Some(7.0));
        assert_eq!(value("longest"), Some(4.0));
        assert_eq!(value(ASKED), Some(12.0));
    }
}
