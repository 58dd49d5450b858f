//! How a version of a read model looks to operators.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::read_model::rebuild::control::Seen;
use crate::subscription::models::ModelVersion;

/// How a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Queries and decisions read it.
    Active,
    /// It is written with the active one and holds the same: it can be made active, or active again.
    Written,
    /// It is made.
    Building,
    /// Its rebuild stands still because an operator said so.
    Paused,
    /// Its rebuild waits by itself.
    Held,
    /// Its rebuild cannot go on.
    Failed,
    /// Nobody writes it any more.
    LeftBehind,
    /// Its table is gone.
    Retired,
}

/// A version of a read model.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Which read model.
    pub projection: String,
    /// Which version: that of the code, and which of its tables.
    pub version: String,
    /// How it stands.
    pub state: State,
    /// What its rebuild does; none if it was there from the beginning.
    pub phase: Option<String>,
    /// Share of the log that is folded, in percent.
    pub percent: Option<f64>,
    /// Events a second, over the whole bulk phase so far.
    pub events_per_second: Option<f64>,
    /// Seconds until the bulk phase ends at this rate.
    pub eta_seconds: Option<f64>,
    /// When the newest of the events folded was appended.
    pub at_event: Option<DateTime<Utc>>,
    /// Pieces folded side by side.
    pub workers: Option<i32>,
    /// Most events a second; 0 for as many as can be.
    pub rate: Option<i32>,
    /// Rows compared with the active version.
    pub rows_compared: Option<i64>,
    /// Rows of those that differed.
    pub rows_different: Option<i64>,
    /// Events left out because the model's consumer holds them back.
    pub left_out: Option<i64>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Why it stands as it does, or what can be done.
    pub why: Option<String>,
}

impl Version {
    /// From what the database says.
    #[must_use]
    pub fn of(seen: &Seen) -> Self {
        let state = state(seen);
        let in_bulk = seen.phase.as_deref() == Some("bulk");
        let share = match (seen.pieces_done, seen.pieces) {
            (Some(done), Some(all @ 1..)) => Some(done as f64 / all as f64),
            _ => None,
        };
        let seconds = seen.bulk_seconds.filter(|seconds| *seconds > 0.0);
        let eta = seconds.zip(share).filter(|(_, share)| in_bulk && *share > 0.0 && *share < 1.0);
        Self {
            projection: seen.name.clone(),
            version: ModelVersion::of(seen.version, seen.number).to_string(),
            state,
            phase: seen.phase.as_deref().map(|phase| phase.replace('_', " ")),
            percent: share.map(|share| (share * 1_000.0).round() / 10.0),
            events_per_second: seconds.zip(seen.events_done).map(|(seconds, events)| (events as f64 / seconds).round()),
            eta_seconds: eta.map(|(seconds, share)| (seconds / share - seconds).round()),
            at_event: seen.at_event,
            workers: seen.workers,
            rate: seen.rate,
            rows_compared: seen.rows_compared,
            rows_different: seen.rows_different,
            left_out: seen.left_out,
            created_at: seen.created_at,
            why: why(seen, state),
        }
    }
}

fn state(seen: &Seen) -> State {
    match seen.state.as_str() {
        "attached" if seen.is_active => State::Active,
        "attached" => State::Written,
        "detached" => State::LeftBehind,
        "retired" => State::Retired,
        _ if seen.failed_why.is_some() => State::Failed,
        _ if seen.paused.is_some() => State::Paused,
        _ if seen.held_why.is_some() => State::Held,
        _ => State::Building,
    }
}

fn why(seen: &Seen, state: State) -> Option<String> {
    let name = &seen.name;
    match state {
        State::Failed => seen.failed_why.as_ref().map(|why| {
            format!("{why}; `ordo projections resume {name}` tries again, `ordo projections cancel {name}` gives it up")
        }),
        State::Paused => seen.paused.clone(),
        State::Held => seen.held_why.clone(),
        State::LeftBehind | State::Retired => seen.why.clone(),
        State::Active => seen.newest_code.filter(|newest| *newest > seen.version).map(|newest| {
            format!("the code is at version {newest}: `ordo projections rebuild {name}` makes its table")
        }),
        State::Written if seen.left_at.is_some() => {
            Some(format!("was active before: `ordo projections rollback {name}` makes it active again"))
        }
        State::Written if seen.phase.as_deref() == Some("ready") => Some(match seen.rows_different {
            Some(0) | None => format!("equal: `ordo projections promote {name}` makes it active"),
            Some(rows) => format!("{rows} rows differ: `ordo projections diff {name}` shows them"),
        }),
        State::Written => Some("is being compared with the active version".to_owned()),
        State::Building => None,
    }
}
