//! `order why`: why an order is where it is, in one sentence, and the facts it rests on.
//!
//! The way of an order: `order.created` goes by the relay to `inventory`, whose decision goes by the relay to `orders`,
//! which confirms or rejects. Beyond that nothing happens by itself.

mod sentence;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::sentence::tell;
pub use self::sentence::{Code, Told};
use crate::domain::order::{Event, Order, Status};
use crate::domain::{Aggregate, DomainEvent, OrderId, inventory};
use crate::event_store;
use crate::ops::owner::{Owner, Owners};
use crate::ops::{Context, Question, Unanswered};
use crate::subscription::standing::{self, Relay, Standing};

/// Decides about the stock of an order.
const INVENTORY: &str = "inventory";
/// Carries that decision to the order.
const ORDERS: &str = "orders";
/// Publishes the log.
const RELAY: &str = "relay";
/// Most events of a stream: an order's life has six.
const MOST: i64 = 1_000;
/// Looks at an order that moves while it is looked at.
const LOOKS: usize = 3;

/// Which order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its id.
    pub order_id: Uuid,
}

/// An event that somebody waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Awaited {
    /// Its type.
    pub event_type: String,
    /// Its stream.
    pub stream_id: String,
    /// Log partition, and that of the topic.
    pub partition: i16,
    /// Its position there.
    pub position: i64,
    /// When it was appended.
    pub recorded_at: DateTime<Utc>,
}

/// What an order waits for: that a consumer applies an event.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// The event.
    pub event: Awaited,
    /// How far the relay is from it.
    pub relay: Relay,
    /// Whether a living process has the role of the relay; without Kafka it holds no lease all the same.
    pub has_relay: bool,
    /// How the consumer stands to it.
    pub standing: Standing,
    /// Who works the partition for that consumer.
    pub owner: Owner,
}

/// What is known of an order.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Which.
    pub order_id: Uuid,
    /// Events of its stream; 0 if there is no such order.
    pub events: usize,
    /// Where it stands; none if there is none, or this build cannot read its events.
    pub status: Option<Status>,
    /// When its last event was appended.
    pub since: Option<DateTime<Utc>>,
    /// What it waits for, while it is processing.
    pub waits_for: Option<Wait>,
    /// How each consumer of orders stands to its last event, for what does not hold up the order itself: messages, and
    /// stock that is released or shipped.
    pub consumers: Vec<Standing>,
}

/// Why an order is where it is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// The answer in words.
    #[serde(flatten)]
    pub told: Told,
    /// What it rests on.
    pub facts: Facts,
}

/// The question itself.
#[derive(Debug)]
pub struct Why;

impl Question for Why {
    const NAME: &'static str = "order why";
    const ABOUT: &'static str = "Why an order is where it is, and what to do about it";
    const EXAMPLE: Option<&'static str> = Some("ordo order why 0192f0c1-7c1e-7d6e-a4c1-0242ac120002");
    const PATH: Option<&'static str> = Some("orders/{orderId}/why");
    const SAYS: Option<&'static str> = Some("sentence");
    type Args = Args;
    type Answer = Answer;

    async fn ask(Args { order_id }: Args, context: &Context) -> Result<Answer, Unanswered> {
        Ok(answer(order_id, context).await?)
    }
}

/// Why an order is where it is: the one answer of page, command line and REST.
///
/// # Errors
/// What Postgres says.
pub(super) async fn answer(order_id: Uuid, context: &Context) -> sqlx::Result<Answer> {
    let mut facts = gather(order_id, context).await?;
    let mut told = tell(&facts);
    for _ in 1..LOOKS {
        if told.code != Code::Unexplained {
            break;
        }
        // It moved between two looks; what stays unexplained is.
        facts = gather(order_id, context).await?;
        told = tell(&facts);
    }
    Ok(Answer { told, facts })
}

async fn gather(order_id: Uuid, context: &Context) -> sqlx::Result<Facts> {
    let db = &context.db;
    let id = OrderId::from(order_id);
    let events = event_store::stream(db, &Order::stream_id(&id), 0, MOST).await?;
    let order = events
        .iter()
        .filter_map(|event| Event::from_payload(&event.event_type, &event.payload).ok())
        .fold(Order::default(), |order, event| order.evolve(&event));
    let mut facts = Facts {
        order_id,
        events: events.len(),
        status: order.status(),
        since: events.last().map(|event| event.recorded_at),
        waits_for: None,
        consumers: Vec::new(),
    };
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Ok(facts);
    };
    if facts.status == Some(Status::Processing) {
        let decided = event_store::stream(db, &format!("{}:{id}", inventory::STREAM), 0, 1).await?;
        let (consumer, event) = decided.first().map_or((INVENTORY, first), |decision| (ORDERS, decision));
        if let Some(standing) = standing::of(consumer, event, db).await? {
            let owners = Owners::seen(context).await?;
            let (owner, has_relay) = (owners.of(standing.owner), owners.have(RELAY));
            let event_type = event.event_type.clone();
            let stream_id = event.stream_id.clone();
            let (partition, position, recorded_at) = (event.partition, event.position, event.recorded_at);
            let relay = standing::relay(event, db).await?;
            let event = Awaited { event_type, stream_id, partition, position, recorded_at };
            facts.waits_for = Some(Wait { event, relay, has_relay, standing, owner });
        }
    }
    for followed in &context.consumers {
        if let Some(standing) = standing::of(&followed.name, last, db).await?
            && followed.topics.contains(&standing.topic)
        {
            facts.consumers.push(standing);
        }
    }
    Ok(facts)
}
