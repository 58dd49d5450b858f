//! Decides who must be told what about an order: once per order and template. Sending is another matter.

use serde::Deserialize;

use crate::contracts::topics;
use crate::domain::notification::{Event, NotificationRequested, Template, stream_of};
use crate::domain::{OrderId, UserId};
use crate::event_store::{self, NewEvent};
use crate::subscription::{Consumer, Decision, Decisions, Failure, Received, Tx, reads};

/// The part of an order's event that is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    order_id: OrderId,
    user_id: UserId,
}

reads! {
    /// What this consumer reads.
    enum Reads {
        "order.created" => Created(About),
        "order.confirmed" => Confirmed(About),
        "order.rejected" => Rejected(About),
        "order.shipped" => Shipped(About),
    }
}

/// The consumer.
#[derive(Debug)]
pub struct Notification;

impl Consumer for Notification {
    const NAME: &'static str = "notification";
    const TOPICS: &'static [&'static str] = &[topics::ORDER_EVENTS];
    type Reads = Reads;

    async fn handle(&self, batch: &[Received<Reads>], tx: &mut Tx<'_>) -> Result<Decisions, Failure> {
        let mut decisions: Decisions = batch.iter().map(decide).collect();
        if tx.after_conflict {
            // Some were requested before, by a run that the ledger has forgotten: once is enough.
            let streams: Vec<String> = decisions.iter().map(|decision| decision.stream_id.clone()).collect();
            let known = event_store::streams(&mut *tx.db, &streams).await?;
            decisions.retain(|decision| known.iter().all(|event| event.stream_id != decision.stream_id));
        }
        Ok(decisions)
    }
}

fn decide(received: &Received<Reads>) -> Decision {
    let (template, about) = match &received.event {
        Reads::Created(about) => (Template::OrderCreated, about),
        Reads::Confirmed(about) => (Template::OrderConfirmed, about),
        Reads::Rejected(about) => (Template::OrderRejected, about),
        Reads::Shipped(about) => (Template::OrderShipped, about),
    };
    let requested = NotificationRequested { order_id: about.order_id, user_id: about.user_id.clone(), template };
    Decision {
        cause: received.cause,
        stream_id: stream_of(about.order_id, template),
        partition_key: about.order_id.to_string(),
        expected_version: 0,
        events: vec![NewEvent::from(&Event::Requested(requested))],
    }
}
