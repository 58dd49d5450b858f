//! The traffic itself: so many connections, each placing order after order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::Url;
use serde_json::value::RawValue;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::catalogue::Catalogue;
use super::client::{Answer, Client};
use super::mark::Mark;
use super::order::{Order, Orders};
use super::pace::{Due, Pace, Schedule, Until};
use super::post::{Attempted, Ended, Request, post_until_answered};
use super::retry::Patience;
use super::summary::Summary;
use super::tally::Tally;
use crate::history::{Action, AttemptLine, HistoryWriter, Outcome};
use crate::progress::Progress;

pub struct Traffic {
    pub client: Client,
    pub catalogue: Catalogue,
    pub connections: usize,
    pub pace: Pace,
    pub until: Until,
    pub patience: Patience,
    pub cancel_percent: u8,
    /// Cancellations are sent after a random part of this, so that some meet the confirmation on its way.
    pub cancel_within: Duration,
    /// Share of accepted orders whose POST is sent once more: it must be answered as the first time.
    pub repeat_percent: u8,
    pub seed: u64,
    /// Orders that are meant to fail somewhere.
    pub marks: Vec<Mark>,
    pub history: Option<HistoryWriter>,
}

struct Shared {
    client: Client,
    orders: Orders,
    schedule: Schedule,
    patience: Patience,
    cancel_within: Duration,
    tally: Tally,
    history: Option<HistoryWriter>,
    history_broken: AtomicBool,
    orders_url: Url,
}

impl Traffic {
    /// Ends when the schedule does, or soon after `interrupted` is set; orders under way are carried to their end.
    pub async fn run(self, progress: &Progress, interrupted: &AtomicBool) -> anyhow::Result<Summary> {
        let shared = Arc::new(Shared {
            orders: Orders::of(&self.catalogue, self.cancel_percent, self.repeat_percent, self.seed).marked(self.marks),
            schedule: Schedule::start(self.pace, self.until),
            patience: self.patience,
            cancel_within: self.cancel_within,
            tally: Tally::empty()?,
            history: self.history,
            history_broken: AtomicBool::new(false),
            orders_url: self.client.url("/v1/orders")?,
            client: self.client,
        });
        let mut connections = JoinSet::new();
        for _ in 0..self.connections {
            connections.spawn(place_orders(Arc::clone(&shared)));
        }
        let started = shared.schedule.started();
        let mut tick = tokio::time::interval(Duration::from_millis(250));
        while !connections.is_empty() {
            tokio::select! {
                ended = connections.join_next() => if let Some(ended) = ended {
                    ended.context("a connection's task panicked: report this")?;
                },
                _ = tick.tick() => {
                    if interrupted.load(Ordering::Relaxed) || shared.history_broken.load(Ordering::Relaxed) {
                        shared.schedule.stop();
                    }
                    progress.show(&shared.tally.line(started.elapsed()));
                }
            }
        }
        let summary = shared.tally.summary(started);
        if let Some(history) = Arc::into_inner(shared).and_then(|shared| shared.history) {
            history.finish()?;
        }
        Ok(summary)
    }
}

async fn place_orders(shared: Arc<Shared>) {
    while let Some(Due { number, at }) = shared.schedule.next() {
        if at > Instant::now() {
            tokio::time::sleep_until(at.into()).await;
        }
        shared.place(number, at).await;
    }
}

impl Shared {
    async fn place(&self, number: u64, due: Instant) {
        let mut order = self.orders.order(number);
        let body = std::mem::take(&mut order.body);
        let items = body[order.items.clone()].to_owned();
        let request = Request { url: self.orders_url.clone(), key: order.key.to_string(), body, number };
        let ended = self.create(&request, &order, &items, due, 0).await;
        self.tally.placed(&ended, due);
        if let (Outcome::Accepted, true, Answer::Answered { body, .. }) =
            (ended.outcome, order.to_be_cancelled, &ended.answer)
            && let Some(id) = body.order_id
        {
            tokio::time::sleep(self.cancel_within.mul_f64(order.cancelled_at)).await;
            self.cancel(number, id, &order).await;
        }
        // After the cancellation, for the answer must be the original one whatever became of the order.
        if ended.outcome == Outcome::Accepted && order.to_be_repeated {
            let before = ended.retries + 1;
            let again = self.create(&request, &order, &items, Instant::now(), before).await;
            self.tally.repeated(again.outcome);
        }
    }

    /// `before` attempts were made with this key already.
    async fn create(&self, request: &Request, order: &Order, items: &str, due: Instant, before: u32) -> Ended {
        post_until_answered(&self.client, request, due, &self.patience, |attempted| {
            let attempt = before + attempted.attempt;
            self.keep(Action::Create, order.key, order, None, items, &Attempted { attempt, ..*attempted })
        })
        .await
    }

    async fn cancel(&self, number: u64, id: Uuid, order: &Order) {
        let Ok(url) = self.client.url(&format!("/v1/orders/{id}/cancel")) else {
            return;
        };
        let key = Uuid::new_v4();
        let body = r#"{"reason":"changed my mind"}"#.to_owned();
        let request = Request { url, key: key.to_string(), body, number };
        let ended = post_until_answered(&self.client, &request, Instant::now(), &self.patience, |attempted| {
            self.keep(Action::Cancel, key, order, Some(id), "[]", attempted)
        })
        .await;
        self.tally.cancelled(ended.outcome);
    }

    /// One line of history; `false` when it could not be written, for then going on would only lose evidence.
    fn keep(
        &self,
        action: Action,
        key: Uuid,
        order: &Order,
        id: Option<Uuid>,
        items: &str,
        attempted: &Attempted<'_>,
    ) -> bool {
        let Some(history) = &self.history else {
            return true;
        };
        let (status, body, position, error) = match attempted.answer {
            Answer::Answered { status, body, position, .. } => (Some(*status), Some(body), position.as_deref(), None),
            Answer::NoAnswer(why) => (None, None, None, Some(why.as_str())),
        };
        let retry_after = match attempted.answer {
            Answer::Answered { retry_after, .. } => retry_after.map(|pause| pause.as_secs()),
            Answer::NoAnswer(_) => None,
        };
        let written = serde_json::from_str::<&RawValue>(items).is_ok_and(|items| {
            history.write(&AttemptLine {
                action,
                key,
                user_id: &order.user_id,
                attempt: attempted.attempt,
                order_id: id.or_else(|| body.and_then(|body| body.order_id)),
                items,
                sent_at: attempted.sent_at,
                answered_at: status.map(|_| attempted.ended_at),
                status,
                retry_after,
                code: body.and_then(|body| body.code.as_deref()),
                position,
                retries: attempted.attempt - 1,
                outcome: attempted.outcome,
                error,
            })
        });
        if !written {
            self.history_broken.store(true, Ordering::Relaxed);
        }
        written
    }
}
