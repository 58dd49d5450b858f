//! `order trace`: everything an order has caused, what each reader has made of it, and what has not happened yet.
//!
//! It is told from the log, the places and the ledgers, so it is whole, does not expire, and shows absences: tracing tools
//! sample, forget, and know only what happened.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::why::{self, Code};
use crate::clock;
use crate::contracts::{RecordedEvent, topics};
use crate::domain::order::{Command, Event, Order, Status};
use crate::domain::{Aggregate, DomainEvent, OrderId, inventory, notification};
use crate::event_store;
use crate::ops::logged::Logged;
use crate::ops::mask::Mask;
use crate::ops::{Context, Question, Unanswered};
use crate::projections::order_view::{self, OrderRow};
use crate::read_model::FedBy;
use crate::subscription::checkpoint::{self, Checkpoint, LOG, RELAY};
use crate::subscription::standing::{self, Entry, Outcome};

/// Most events of one stream; an order's life has six.
const MOST: i64 = 200;
/// The lane of the order service's own views.
const VIEWS: &str = "views";

/// Which order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its id.
    pub order_id: Uuid,
    /// Shows who the customer is: the id of what `personal reveal order:<id>` did.
    #[arg(long, value_name = "OPERATION_ID")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revealed: Option<Uuid>,
}

/// What one reader has made of one event.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// The consumer, or `views`.
    pub lane: String,
    /// What became of it. `passed`: it took effect, and the ledger has forgotten the details by age.
    pub outcome: Outcome,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// How often it came again, and was suppressed.
    pub duplicates: i32,
    /// Why it came again last: `redelivery`, `republication` or `replay`.
    pub last_cause: Option<String>,
    /// The dead letter it became.
    pub letter_id: Option<Uuid>,
    /// Positions of that partition the reader has yet to pass until it comes to the event.
    pub behind: i64,
}

/// One event, and its effects.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// The event.
    #[serde(flatten)]
    pub event: Logged,
    /// The event it follows from; none if a request caused it.
    pub caused_by: Option<Uuid>,
    /// Its trace.
    pub trace_id: Option<String>,
    /// Its topic.
    pub topic: Option<&'static str>,
    /// Whether every topic concerned has acknowledged it.
    pub is_published: bool,
    /// Its offset, where a consumer's ledger has kept it.
    pub offset: Option<i64>,
    /// What each reader has made of it, in the order of `lanes`; those that do not read its topic are left out.
    pub effects: Vec<Effect>,
}

/// An order after one of its events.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Version of the order.
    pub version: i32,
    /// The event that made it so.
    pub event_type: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// What it is then, masked.
    pub state: Value,
}

/// Something that may be asked of the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Next {
    /// The command, and the last word of its address: `POST /v1/orders/{orderId}/<command>`.
    pub command: &'static str,
    /// Why it would be refused now; none if it would not.
    pub why: Option<String>,
}

/// Everything an order has caused.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Which.
    pub order_id: Uuid,
    /// Why it is where it is, and what to do about it: what `order why` says.
    pub sentence: String,
    /// The same for programs.
    pub code: Code,
    /// Where it stands.
    pub status: Option<Status>,
    /// Who reads: every consumer that reads one of the events, then `views`.
    pub lanes: Vec<String>,
    /// Every event, in the order they were appended.
    pub events: Vec<Node>,
    /// The order after each of its own events.
    pub states: Vec<State>,
    /// What may be asked of it.
    pub next: Vec<Next>,
}

/// The question itself.
#[derive(Debug)]
pub struct OrderTrace;

impl Question for OrderTrace {
    const NAME: &'static str = "order trace";
    const ABOUT: &'static str =
        "Everything an order has caused, what each reader made of it, and what has not happened yet";
    const EXAMPLE: Option<&'static str> = Some("ordo order trace 0192f0c1-7c1e-7d6e-a4c1-0242ac120002");
    const PATH: Option<&'static str> = Some("orders/{orderId}/trace");
    const COLUMNS: &'static [&'static str] = &[
        "/recordedAt",
        "/eventType",
        "/streamId",
        "/version",
        "/partition",
        "/position",
        "/isPublished",
        "/offset",
        "/effects",
        "/at",
        "/state",
        "/command",
        "/why",
    ];
    type Args = Args;
    type Answer = Answer;

    async fn ask(Args { order_id, revealed }: Args, context: &Context) -> Result<Answer, Unanswered> {
        let mask = Mask::revealed(&format!("order:{order_id}"), revealed, context).await?;
        let told = why::answer(order_id, context).await?;
        let id = OrderId::from(order_id);
        let (events, places) = seen(&id, context).await?;
        let ids: Vec<Uuid> = events.iter().map(RecordedEvent::id).collect();
        let entries = standing::entries(&ids, &context.db).await?;
        let own: Vec<&RecordedEvent> = events.iter().filter(|event| event.stream_id == Order::stream_id(&id)).collect();
        let lanes = lanes(&events, context);
        let nodes = Nodes { lanes: &lanes, context, places: &places, entries: by_event(entries), mask };
        Ok(Answer {
            order_id,
            sentence: told.told.sentence,
            code: told.told.code,
            status: told.facts.status,
            events: events.iter().map(|event| nodes.node(event)).collect(),
            states: states(&own, mask),
            next: next(&own),
            lanes,
        })
    }
}

/// Every event of the order, of its stock and of its messages, and how far everybody is.
async fn seen(id: &OrderId, context: &Context) -> sqlx::Result<(Vec<RecordedEvent>, Vec<Checkpoint>)> {
    let db = &context.db;
    // Events first: a reader that is further by then has an effect, and never the other way round.
    let mut events = event_store::stream(db, &Order::stream_id(id), 0, MOST).await?;
    events.extend(event_store::stream(db, &format!("{}:{id}", inventory::STREAM), 0, MOST).await?);
    events.extend(event_store::streams_below(db, &format!("{}:{id}", notification::STREAM), MOST).await?);
    events.sort_by_key(|event| (event.partition, event.position));
    Ok((events, checkpoint::all(db).await?))
}

fn lanes(events: &[RecordedEvent], context: &Context) -> Vec<String> {
    let topics: Vec<&str> = events.iter().filter_map(|event| topics::of_stream(&event.stream_id)).collect();
    let reads = |wanted: &[String]| wanted.iter().any(|topic| topics.contains(&topic.as_str()));
    let mut lanes: Vec<String> =
        context.consumers.iter().filter(|read| reads(&read.topics)).map(|read| read.name.clone()).collect();
    lanes.push(VIEWS.to_owned());
    lanes
}

fn by_event(entries: Vec<Entry>) -> HashMap<Uuid, Vec<Entry>> {
    let mut by_event: HashMap<Uuid, Vec<Entry>> = HashMap::new();
    for entry in entries {
        by_event.entry(entry.event_id).or_default().push(entry);
    }
    by_event
}

/// What events are told with.
struct Nodes<'a> {
    lanes: &'a [String],
    context: &'a Context,
    places: &'a [Checkpoint],
    entries: HashMap<Uuid, Vec<Entry>>,
    mask: Mask,
}

impl Nodes<'_> {
    fn node(&self, event: &RecordedEvent) -> Node {
        let meta = event.meta();
        let topic = topics::of_stream(&event.stream_id);
        let entries = self.entries.get(&event.id()).map_or(&[][..], Vec::as_slice);
        Node {
            event: Logged::of(event, self.mask),
            caused_by: meta.causation_id,
            trace_id: meta.traceparent.as_deref().and_then(|parent| parent.split('-').nth(1)).map(str::to_owned),
            topic,
            is_published: self.place(RELAY, LOG, event.partition) >= event.position,
            offset: entries.iter().find(|entry| Some(entry.topic.as_str()) == topic).map(|entry| entry.offset),
            effects: self.lanes.iter().filter_map(|lane| self.effect(lane, event, topic, entries)).collect(),
        }
    }

    fn effect(&self, lane: &str, event: &RecordedEvent, topic: Option<&str>, entries: &[Entry]) -> Option<Effect> {
        if lane == VIEWS {
            return Some(self.viewed(event));
        }
        let topic = topic?;
        let reads = self.context.consumers.iter().find(|followed| followed.name == lane)?;
        if !reads.topics.iter().any(|read| read == topic) {
            return None;
        }
        let entry = entries.iter().find(|entry| entry.consumer == lane);
        let place = self.place(lane, topic, event.partition);
        Some(Effect {
            lane: lane.to_owned(),
            outcome: standing::outcome_of(entry.map(|entry| entry.state.as_str()), place >= event.position),
            at: entry.map(|entry| entry.at),
            duplicates: entry.map_or(0, |entry| entry.duplicates),
            last_cause: entry.and_then(|entry| entry.last_cause.clone()),
            letter_id: entry.and_then(|entry| entry.letter_id),
            behind: (event.position - place).max(0),
        })
    }

    /// What the views that follow the log have made of it: as far as the one that is furthest behind.
    fn viewed(&self, event: &RecordedEvent) -> Effect {
        let views = self.context.models.iter().filter(|model| model.fed_by() == FedBy::Log);
        let place = views.map(|model| self.place(model.name(), LOG, event.partition)).min().unwrap_or(0);
        let outcome = if place >= event.position { Outcome::Applied } else { Outcome::NotReached };
        let behind = (event.position - place).max(0);
        let lane = VIEWS.to_owned();
        Effect { lane, outcome, at: None, duplicates: 0, last_cause: None, letter_id: None, behind }
    }

    fn place(&self, subscription: &str, source: &str, partition: i16) -> i64 {
        let is_it = |place: &&Checkpoint| {
            place.subscription == subscription && place.source == source && place.partition == partition
        };
        self.places.iter().find(is_it).map_or(0, |place| place.position)
    }
}

/// The order after each of its events that this build can read.
fn states(own: &[&RecordedEvent], mask: Mask) -> Vec<State> {
    let mut states = Vec::with_capacity(own.len());
    for (index, event) in own.iter().enumerate() {
        let folded = order_view::folded(own[..=index].iter().copied());
        let Some(row) = folded.ok().flatten() else { continue };
        states.push(State {
            version: event.version,
            event_type: event.event_type.clone(),
            at: event.recorded_at,
            state: mask.value(shown(&row)),
        });
    }
    states
}

fn shown(row: &OrderRow) -> Value {
    json!({
        "userId": row.user_id,
        "status": row.status,
        "items": row.items.0,
        "totalAmount": row.total_amount,
        "currency": row.currency,
        "reason": row.reason,
        "missing": row.missing.0,
        "createdAt": row.created_at,
        "confirmedAt": row.confirmed_at,
    })
}

/// What the order would answer now to each thing a caller may ask of it.
fn next(own: &[&RecordedEvent]) -> Vec<Next> {
    let order = own
        .iter()
        .filter_map(|event| Event::from_payload(&event.event_type, &event.payload).ok())
        .fold(Order::default(), |order, event| order.evolve(&event));
    if order.status().is_none() {
        return Vec::new();
    }
    let asked =
        [("ship", Command::Ship), ("deliver", Command::Deliver), ("cancel", Command::Cancel { reason: String::new() })];
    let answer = |(name, command): (&'static str, Command)| {
        let why = match order.decide(&command, clock::now()) {
            Ok(events) if events.is_empty() => Some("it is so already".to_owned()),
            Ok(_) => None,
            Err(refusal) => Some(refusal.to_string()),
        };
        Next { command: name, why }
    };
    asked.map(answer).into()
}
