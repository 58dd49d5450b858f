//! `events`: the newest events of the log, and what comes how often.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event_store::{self, Wanted};
use crate::ops::logged::Logged;
use crate::ops::mask::Mask;
use crate::ops::{Context, Question, Unanswered};

/// Positions of each partition that are looked at, whatever is found.
const LOOKED_AT: i64 = 20_000;
/// Positions of each partition from which the shares of the types are told.
const CENSUS: i64 = 500;
/// The same where an id is looked for, which every event looked at has to be asked for.
const LOOKED_AT_FOR_ID: i64 = 2_000;

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

/// How often a type comes.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    /// `<type> v<schema version>`.
    pub name: String,
    /// How many of the newest 500 of each partition it is.
    pub events: i64,
    /// How many a second that is, since the oldest of those looked at.
    pub per_second: Option<f64>,
}

/// The newest events.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Newest first.
    pub events: Vec<Logged>,
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
        let kinds = event_store::kinds(&heads, CENSUS, &context.db).await?;
        let mut heads = heads;
        heads.retain(|(partition, _)| args.partition.is_none_or(|only| only == *partition));
        let looked_at = if args.id.is_some() { LOOKED_AT_FOR_ID } else { LOOKED_AT };
        let wanted = Wanted {
            event_type: args.event_type.as_deref(),
            stream: args.stream.as_deref(),
            limit: if args.id.is_some() { looked_at } else { i64::from(limit) },
            looked_at,
        };
        let mut found = event_store::newest(&heads, wanted, &context.db).await?;
        if let Some(id) = args.id {
            found.retain(|event| event.id() == id || event.meta().correlation_id == Some(id));
        }
        found.sort_by(|left, right| right.recorded_at.cmp(&left.recorded_at).then(right.position.cmp(&left.position)));
        found.truncate(limit as usize);
        let mask = Mask::of(&context.caller);
        let events = found.iter().map(|event| Logged::of(event, mask)).collect();
        Ok(Answer { events, kinds: kinds.into_iter().map(kind).collect(), looked_at })
    }
}

fn kind(event_store::Kind { event_type, schema_version, events, per_second }: event_store::Kind) -> Kind {
    Kind { name: format!("{event_type} v{schema_version}"), events, per_second }
}
