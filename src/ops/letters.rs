//! Which dead letters: the same words in queries, bodies and flags.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::subscription::letters::{Filter, State};
use crate::subscription::selection::Chosen;

/// Narrows dead letters; what is left out does not narrow.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, rename_all = "camelCase")]
pub struct Filters {
    /// Only this consumer's.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// Only those of this cause.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Only those of this type, such as `order.created`.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// Only those of this stream, such as `order:<id>`.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Only those that failed last at this time or later: RFC 3339; as a flag also `30m`, for 30 minutes ago.
    #[arg(long, value_parser = moment)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Only those that failed last before this time: as `since`.
    #[arg(long, value_parser = moment)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl Filters {
    /// As the machine takes it.
    #[must_use]
    pub(super) fn filter(self, state: Option<State>) -> Filter {
        let Self { consumer, fingerprint, event_type, stream, since, until } = self;
        // Beyond the years that Postgres and everybody else can write, no letter lies.
        let bounded =
            |time: DateTime<Utc>| time.clamp(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::days(2_900_000));
        let (since, until) = (since.map(bounded), until.map(bounded));
        Filter { consumer, fingerprint, event_type, stream, since, until, state }
    }
}

/// Letters that stand there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Nothing has become of them.
    #[default]
    Open,
    /// Their event took effect in a replay.
    Resolved,
    /// An operator gave them up.
    Discarded,
    /// Wherever they stand.
    All,
}

impl Standing {
    pub(super) fn state(self) -> Option<State> {
        match self {
            Self::Open => Some(State::Open),
            Self::Resolved => Some(State::Resolved),
            Self::Discarded => Some(State::Discarded),
            Self::All => None,
        }
    }
}

/// Letters of a plan that have the same cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Whose.
    pub consumer: String,
    /// Their cause.
    pub fingerprint: String,
    /// Their type.
    pub event_type: Option<String>,
    /// How many.
    pub letters: usize,
}

/// What a plan touches, by cause, the most frequent first.
pub(super) fn causes(chosen: &[Chosen]) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for letter in chosen {
        match causes.iter_mut().find(|cause| {
            (&cause.consumer, &cause.fingerprint, &cause.event_type)
                == (&letter.consumer, &letter.fingerprint, &letter.event_type)
        }) {
            Some(cause) => cause.letters += 1,
            None => causes.push(Cause {
                consumer: letter.consumer.clone(),
                fingerprint: letter.fingerprint.clone(),
                event_type: letter.event_type.clone(),
                letters: 1,
            }),
        }
    }
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.letters));
    causes
}

/// A time, or how long ago.
fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        let ago = chrono::Duration::from_std(ago).map_err(|error| error.to_string())?;
        return clock::now().checked_sub_signed(ago).ok_or_else(|| format!("{text} ago is before all time"));
    }
    text.parse().map_err(|_| "expected a time such as 2026-01-31T08:00:00Z, or how long ago, such as 30m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_how_long_ago() {
        assert_eq!(moment("2026-01-31T08:00:00Z").unwrap().timestamp(), 1_769_846_400);
        let now = clock::now();
        let ago = now - moment("90m").unwrap();
        assert!((89..=90).contains(&ago.num_minutes()), "{ago}");
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn a_misspelt_filter_is_no_filter() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Args {
            #[serde(flatten)]
            filters: Filters,
        }
        let read = |text| serde_json::from_str::<Args>(text);
        assert_eq!(read(r#"{"eventType":"x"}"#).unwrap().filters.event_type.as_deref(), Some("x"));
        assert!(read(r#"{"event_type":"x"}"#).is_err());
    }
}
