//! Orders that inventory is made to fail on: each is a stream that stays blocked behind its dead letter, and its later
//! event queues there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::stage::Stage;

/// Whose orders fail.
pub const USER: &str = "poison";
const CONSUMER: &str = "inventory";
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long a process may go by a rule that is gone: it reads them twice a second.
const RULE_KNOWN_FOR: Duration = Duration::from_secs(1);

const BLOCKED: &str = "SELECT (SELECT count(*) FROM dead_letter WHERE subscription = $1 AND state = 'open'), \
         (SELECT count(DISTINCT partition) FROM dead_letter WHERE subscription = $1 AND state = 'open'), \
         (SELECT count(*) FROM parked_stream WHERE subscription = $1), \
         (SELECT coalesce(sum(depth), 0) FROM parked_stream WHERE subscription = $1)";

/// What stands still because of poison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blocked {
    /// Open dead letters.
    pub letters: i64,
    /// Partitions that have one.
    pub partitions: i64,
    /// Streams set aside.
    pub streams: i64,
    /// Events that wait in them.
    pub followers: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    order_id: Uuid,
}

pub struct Poison<'a> {
    stage: &'a Stage,
    http: reqwest::Client,
    ops: String,
}

impl<'a> Poison<'a> {
    /// With the fault panel of inventory's process, which is on.
    pub fn of(stage: &'a Stage) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { stage, http, ops: format!("{}/ops/v1", stage.service.inventory_ops()?) })
    }

    /// From now on every event of [`USER`] is poison; consumers know within a second.
    pub async fn set(&self) -> anyhow::Result<()> {
        let rule = json!({ "consumer": CONSUMER, "kind": "poison", "pointer": "/userId", "equals": USER });
        self.act("faults/set", &rule).await
    }

    /// Takes the rule away, gives up every letter, and waits until no stream is blocked any more.
    pub async fn clear(&self) -> anyhow::Result<()> {
        self.act("faults/clear", &json!({ "ruleIds": [] })).await?;
        // Twenty followers that fail one after the other, with nothing else between them, would stop the consumer.
        tokio::time::sleep(RULE_KNOWN_FOR).await;
        let began = Instant::now();
        loop {
            let blocked = self.blocked().await?;
            if blocked == Blocked::default() {
                return Ok(());
            }
            ensure!(
                began.elapsed() < self.stage.drain_within,
                "{} streams are still blocked after their letters were given up: `ordo dlq list` says by what",
                blocked.streams
            );
            // More than once: a letter may have been on its way when the others were given up.
            if blocked.letters > 0 {
                self.act("dlq/discard", &json!({ "consumer": CONSUMER })).await?;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub async fn blocked(&self) -> anyhow::Result<Blocked> {
        let mut session =
            PgConnection::connect(&self.stage.database_url).await.context("could not count dead letters")?;
        let (letters, partitions, streams, followers) =
            sqlx::query_as(BLOCKED).bind(CONSUMER).fetch_one(&mut session).await?;
        session.close().await?;
        Ok(Blocked { letters, partitions, streams, followers })
    }

    /// Places so many orders of [`USER`] a second, and cancels each when the next is due, until it is told to stop.
    pub async fn feed(&self, per_second: f64, stop: &AtomicBool) -> anyhow::Result<()> {
        let orders = format!("{}/v1/orders", self.stage.service.main.url);
        let items = json!([{ "productId": self.stage.catalogue.product(0), "quantity": 1 }]);
        let mut tick = tokio::time::interval(Duration::from_secs_f64(1.0 / per_second));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = None;
        while !stop.load(Ordering::Relaxed) {
            tick.tick().await;
            let accepted: Option<Accepted> = self.post(&orders, &json!({ "userId": USER, "items": items })).await?;
            self.cancel(&orders, last).await?;
            last = accepted.map(|accepted| accepted.order_id);
        }
        self.cancel(&orders, last).await
    }

    async fn cancel(&self, orders: &str, order_id: Option<Uuid>) -> anyhow::Result<()> {
        let Some(order_id) = order_id else { return Ok(()) };
        let url = format!("{orders}/{order_id}/cancel");
        self.post::<Value>(&url, &json!({ "reason": "changed my mind" })).await.map(drop)
    }

    /// `None` if the service is too busy just now: then there is one less.
    async fn post<A: for<'de> Deserialize<'de>>(&self, url: &str, body: &Value) -> anyhow::Result<Option<A>> {
        let request = self.http.post(url).header("idempotency-key", Uuid::new_v4().to_string()).json(body);
        let answer = request.send().await.with_context(|| format!("POST {url}"))?;
        match answer.status() {
            StatusCode::SERVICE_UNAVAILABLE => Ok(None),
            status if status.is_success() => Ok(Some(answer.json().await?)),
            status => bail!("POST {url} was refused with {status}: {}", answer.text().await.unwrap_or_default()),
        }
    }

    async fn act(&self, path: &str, args: &Value) -> anyhow::Result<()> {
        let request = self.http.post(format!("{}/{path}", self.ops)).json(&json!({ "args": args, "reason": "bench" }));
        let answer = request.send().await.with_context(|| format!("POST {path}"))?;
        let status = answer.status();
        ensure!(status.is_success(), "{path} was refused with {status}: {}", answer.text().await.unwrap_or_default());
        Ok(())
    }
}
