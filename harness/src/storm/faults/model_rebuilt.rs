//! An operator makes a read model anew, promotes it and takes that back, one model after the other, while callers read all of
//! them. No query may fail for it, and nobody reads less than was answered before.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures::future::BoxFuture;
use serde_json::json;
use sqlx::PgPool;

use super::{Fault, Wound};
use crate::load::Chance;
use crate::storm::operator::Operator;
use crate::storm::rebuilt;
use crate::storm::stage::Stage;

/// How long the new version is read, and the old one again.
const READ_FOR: Duration = Duration::from_secs(2);
const READY_WITHIN: Duration = Duration::from_secs(120);
const ASK_EVERY: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(5);
/// The newest order of the log.
const NEWEST: &str = "SELECT partition_key, payload::json ->> 'userId', partition || ':' || position FROM log \
     WHERE partition = 0 AND event_type = 'order.created' ORDER BY position DESC LIMIT 1";

#[derive(Default)]
pub struct ModelRebuilt {
    /// How many were, so that each has its turn.
    done: AtomicUsize,
}

impl Fault for ModelRebuilt {
    fn name(&self) -> &'static str {
        "read model rebuilt"
    }

    /// Only where a scenario asks for it: kills and queries that must not fail do not go together.
    fn times(&self) -> u32 {
        0
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, _: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            let node = &stage.nodes[0];
            let operator = Operator::at(&node.sight.ops_url)?;
            let models = rebuilt::models(&operator.ask("projections").await?)?;
            ensure!(!models.is_empty(), "there are no read models: see the log of the processes");
            let name = &models[self.done.fetch_add(1, Ordering::Relaxed) % models.len()];
            tokio::select! {
                done = make_anew(&operator, name) => done.with_context(|| name.clone())?,
                broken = read_on(&node.url, &stage.db) => broken.with_context(|| format!("while {name} was made anew"))?,
            }
            Ok(Wound::of(format!("{name}, promoted and taken back"), Duration::ZERO))
        })
    }

    fn heal<'a>(&'a self, _: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

async fn make_anew(operator: &Operator, name: &str) -> anyhow::Result<()> {
    let found = rebuilt::make(operator, name, READY_WITHIN).await?;
    ensure!(found["rowsDifferent"] == 0, "the new version differs: {found}");
    operator.act("projections/promote", json!({ "projection": name })).await?;
    tokio::time::sleep(READ_FOR).await;
    operator.act("projections/rollback", json!({ "projection": name })).await?;
    tokio::time::sleep(READ_FOR).await;
    Ok(())
}

/// Reads every model over and over; ends with the first answer that a caller should not have got.
async fn read_on(url: &str, db: &PgPool) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    loop {
        let (order, user, token): (String, String, String) =
            sqlx::query_as(NEWEST).fetch_one(db).await.context("the log has no order yet")?;
        for path in [
            format!("/v1/orders/{order}"),
            format!("/v1/orders/{order}/notifications"),
            format!("/v1/customers/{user}/orders"),
            "/v1/products/product-00001".to_owned(),
            "/v1/inventory/product-00001".to_owned(),
            "/v1/analytics/revenue".to_owned(),
            "/v1/analytics/top-products".to_owned(),
            "/v1/analytics/funnel".to_owned(),
            "/v1/analytics/customers".to_owned(),
        ] {
            // What is read of the log waits until it has seen the order; what waits too long says so with a 503.
            let request = http.get(format!("{url}{path}")).header("Ordo-Position", &token);
            let answer = request.send().await.with_context(|| format!("{path} was not answered"))?;
            if !answer.status().is_success() {
                bail!("{path} was answered with {}: {}", answer.status(), answer.text().await.unwrap_or_default());
            }
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}
