//! Accepted orders a second with all roles running, in a closed loop.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::bench::row::{Figures, Row};
use crate::bench::service::Service;
use crate::load::{Client, Pace, Patience, Traffic, Until};
use crate::progress::Progress;

pub const AT_64: Row = Row {
    name: "accept-64",
    about: "orders accepted at 64 connections, all roles running",
    baseline: None,
    measure: |service, length| measure(service, length, 64),
};

pub const AT_256: Row = Row {
    name: "accept-256",
    about: "orders accepted at 256 connections, all roles running",
    baseline: Some(("accept-64", "orders/s")),
    measure: |service, length| measure(service, length, 256),
};

fn measure(service: &Service, length: Duration, connections: usize) -> BoxFuture<'_, anyhow::Result<Figures>> {
    Box::pin(async move {
        let before = service.reading().await?;
        let traffic = Traffic {
            client: Client::new(&service.url, connections, Duration::from_secs(20))?,
            catalogue: service.catalogue(),
            connections,
            pace: Pace::Closed,
            until: Until::Elapsed(length),
            patience: Patience { give_up: Duration::from_secs(30) },
            cancel_percent: 0,
            seed: 1,
            history: None,
        };
        let summary = traffic.run(&Progress::on_stderr(), &AtomicBool::new(false)).await?;
        let after = service.reading().await?;
        let orders = (summary.accepted as f64).max(1.0);
        let per_order = |milliseconds: f64| milliseconds / orders;
        let commits = (after.commits - before.commits).max(1.0);
        Ok(Figures::from([
            ("orders/s", summary.orders_per_second),
            ("p50 ms", summary.p50_ms),
            ("p99 ms", summary.p99_ms),
            ("cpu ms/order ordo", per_order(after.ordo_ms - before.ordo_ms)),
            ("cpu ms/order postgres", per_order(after.postgres_ms - before.postgres_ms)),
            ("cpu ms/order kafka", per_order(after.kafka_ms - before.kafka_ms)),
            ("events/commit", (after.commit_events - before.commit_events) / commits),
            ("decided/s", (after.decided - before.decided) / summary.seconds.max(0.001)),
            ("backlog orders", after.created - after.decided),
            ("not accepted", summary.unknown as f64 + summary.refused.values().sum::<u64>() as f64),
        ]))
    })
}
