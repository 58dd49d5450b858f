//! `/metrics`: Prometheus text.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::{alarm, names, subscription};

static EXPORTER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper bounds of every histogram of seconds: from a commit on a fast disk to a time-out.
const SECONDS: &[f64] = &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Upper bounds of the histogram of events in a commit.
const EVENTS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

/// Starts collecting. Once a process; a second call keeps the first.
pub fn install() {
    EXPORTER.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Full(names::COMMIT_BATCH_EVENTS.to_owned()), EVENTS)
            })
            .expect("the buckets are not empty")
            .build_recorder();
        let handle = recorder.handle();
        // Only a second recorder could be refused, and there is one OnceLock.
        _ = metrics::set_global_recorder(recorder);
        handle
    });
}

/// Everything collected, as Prometheus reads it.
#[must_use]
pub fn render() -> String {
    crate::supervision::workload::publish_gauges();
    alarm::publish_gauges();
    super::kafka::publish_gauge();
    subscription::publish_gauges();
    EXPORTER
        .get()
        .map(|exporter| {
            exporter.run_upkeep();
            exporter.render()
        })
        .unwrap_or_default()
}
