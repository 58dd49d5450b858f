//! `events`: the newest events of the log, and what comes how often.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::contracts::RecordedEvent;
use crate::event_store::{self, Wanted};
use crate::ops::mask::Mask;
use crate::ops::{Context, Question, Unanswered};

/// Positions of each partition that are looked at, whatever is found.
const LOOKED_AT: i64 = 20_000;
/// Positions of each partition from which the shares of the types are told.
const CENSUS: i64 = 500;
/// Longest payload that is shown, in bytes; a longer one is told by its length.
const SHOWN: usize = 16 << 10;

/// Narrows the answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Only this type, such as `order.created`.
    #[arg(long = "type")]
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// Only streams whose id begins so, such as `order:`.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Only this partition.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<i16>,
    /// Only the event of this id, or those of the story with it.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// How many, the newest first: 1 to 500.
    #[arg(long, default_value_t = Args::default().limit)]
    #[schemars(range(min = 1, max = 500))]
    pub limit: u32,
}

impl Default for Args {
    fn default() -> Self {
        Self { event_type: None, stream: None, partition: None, id: None, limit: 50 }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Its id.
    pub event_id: Uuid,
    /// Its type.
    pub event_type: String,
    /// Version of its payload's schema.
    pub schema_version: i16,
    /// Its stream.
    pub stream_id: String,
    /// Its number there.
    pub version: i32,
    /// Log partition.
    pub partition: i16,
    /// Its position there.
    pub position: i64,
    /// When it was appended.
    pub recorded_at: DateTime<Utc>,
    /// The story it belongs to.
    pub correlation_id: Option<Uuid>,
    /// Its payload, masked.
    pub payload: Value,
}

/// How often a type comes.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    /// `<type> v<schema version>`.
    pub name: String,
    /// How many of the newest 500 of each partition it is.
    pub events: usize,
    /// How many a second that is, since the oldest of those looked at.
    pub per_second: Option<f64>,
}

/// The newest events.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Newest first.
    pub events: Vec<Line>,
    /// What the newest of all partitions are, the most frequent first.
    pub kinds: Vec<Kind>,
    /// Only so many positions of each partition were looked at: older events that fit are not shown.
    pub looked_at: i64,
}

/// The question itself.
#[derive(Debug)]
pub struct Events;

impl Question for Events {
    const NAME: &'static str = "events";
    const ABOUT: &'static str = "The newest events of the log, and what comes how often";
    const EXAMPLE: Option<&'static str> = Some("ordo events --type order.rejected --watch");
    const COLUMNS: &'static [&'static str] = &[
        "/recordedAt",
        "/eventType",
        "/streamId",
        "/version",
        "/partition",
        "/position",
        "/name",
        "/events",
        "/perSecond",
    ];
    type Args = Args;
    type Answer = Answer;

    async fn ask(args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let heads = event_store::heads(&context.db).await?;
        if let Some(partition) = args.partition
            && !heads.iter().any(|(known, _)| *known == partition)
        {
            let why = format!("there is no partition {partition}; there are 0 to {}", heads.len().saturating_sub(1));
            return Err(Unanswered::NotFound(why));
        }
        let limit = args.limit.clamp(1, 500);
        let (mut found, mut newest) = (Vec::new(), Vec::new());
        for (partition, head) in heads {
            let wanted = |event_type, stream, limit, looked_at| Wanted {
                partition,
                before: head + 1,
                event_type,
                stream,
                limit,
                looked_at,
            };
            newest.extend(event_store::newest(wanted(None, None, CENSUS, CENSUS), &context.db).await?);
            if args.partition.is_none_or(|only| only == partition) {
                let (event_type, stream) = (args.event_type.as_deref(), args.stream.as_deref());
                // Of one id a single event is wanted, which may be any of those looked at.
                let most = if args.id.is_some() { LOOKED_AT } else { i64::from(limit) };
                found.extend(event_store::newest(wanted(event_type, stream, most, LOOKED_AT), &context.db).await?);
            }
        }
        if let Some(id) = args.id {
            found.retain(|event| event.id() == id || event.meta().correlation_id == Some(id));
        }
        found.sort_by(|left, right| right.recorded_at.cmp(&left.recorded_at).then(right.position.cmp(&left.position)));
        found.truncate(limit as usize);
        let mask = Mask::of(&context.caller);
        let events = found.into_iter().map(|event| line(event, mask)).collect();
        Ok(Answer { events, kinds: kinds(&newest), looked_at: LOOKED_AT })
    }
}

fn line(event: RecordedEvent, mask: Mask) -> Line {
    let payload = if event.payload.len() > SHOWN {
        Value::String(format!("{} bytes", event.payload.len()))
    } else {
        mask.value(serde_json::from_str(&event.payload).unwrap_or(Value::Null))
    };
    Line {
        event_id: event.id(),
        correlation_id: event.meta().correlation_id,
        event_type: event.event_type,
        schema_version: event.schema_version,
        stream_id: event.stream_id,
        version: event.version,
        partition: event.partition,
        position: event.position,
        recorded_at: event.recorded_at,
        payload,
    }
}

/// What the newest are. Partitions reach back to different times, so each is told over its own.
fn kinds(newest: &[RecordedEvent]) -> Vec<Kind> {
    let mut by_kind: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    let mut spans: BTreeMap<i16, (DateTime<Utc>, DateTime<Utc>)> = BTreeMap::new();
    for event in newest {
        let span = spans.entry(event.partition).or_insert((event.recorded_at, event.recorded_at));
        (span.0, span.1) = (span.0.min(event.recorded_at), span.1.max(event.recorded_at));
    }
    for event in newest {
        let (first, last) = spans[&event.partition];
        let seconds = (last - first).as_seconds_f64();
        let kind = by_kind.entry(format!("{} v{}", event.event_type, event.schema_version)).or_default();
        kind.0 += 1;
        kind.1 += if seconds > 0.0 { 1.0 / seconds } else { f64::NAN };
    }
    let mut kinds: Vec<Kind> = by_kind
        .into_iter()
        .map(|(name, (events, rate))| Kind { name, events, per_second: rate.is_finite().then_some(rate) })
        .collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.events));
    kinds
}
