//! An order as it was: folded from its events in the log as the view folds them, so that no view has to have kept it.

use std::str::FromStr;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};

use super::orders::STORY_MAX;
use crate::contracts::RecordedEvent;
use crate::domain::order::Order;
use crate::domain::{Aggregate, OrderId};
use crate::event_store;
use crate::http::Gateway;
use crate::http::error::{FieldError, Problem, Refused, internal};
use crate::projections::order_view::{self, OrderRow};

/// A moment in the life of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// After so many of its events, 1 or more.
    Version(i32),
    /// When everything was recorded that had been up to then.
    Time(DateTime<Utc>),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && let Ok(version @ 1..) = text.parse() {
            return Ok(Self::Version(version));
        }
        let time = DateTime::parse_from_rfc3339(text).map(|time| Self::Time(time.to_utc()));
        time.map_err(|_| {
            let text: String = text.chars().take(80).collect();
            format!("{text:?} is neither a version, such as 2, nor a time, such as 2026-11-26T10:00:00Z")
        })
    }
}

impl Moment {
    /// The events of a stream that had happened by then; none if the stream has not come to that version.
    fn seen(self, events: &[RecordedEvent]) -> &[RecordedEvent] {
        let end = match self {
            Self::Version(version) => {
                events.iter().position(|event| event.version == version).map_or(0, |place| place + 1)
            }
            Self::Time(time) => events.partition_point(|event| event.recorded_at <= time),
        };
        &events[..end]
    }
}

/// The order as of then.
///
/// # Errors
/// `400` for what is no moment, `404` if the order did not exist yet or has not come so far, and what Postgres says.
pub(super) async fn order_at(gateway: &Gateway, order_id: OrderId, at: &str) -> Result<OrderRow, Refused> {
    let moment: Moment = at.parse().map_err(|why: String| {
        Problem::new(StatusCode::BAD_REQUEST, "bad_moment", why.clone())
            .errors(vec![FieldError::new("at", why)])
            .next("send a version or a time with its offset, in which + is written %2B")
    })?;
    let events = event_store::stream(&gateway.db, &Order::stream_id(&order_id), 0, STORY_MAX).await?;
    let not_found = || match (events.as_slice(), moment) {
        ([], _) => Problem::not_found("order_not_found", format!("there is no order {order_id}")),
        ([.., last], Moment::Version(version)) => {
            let why = format!("order {order_id} has come to version {}, not to {version}", last.version);
            Problem::not_found("version_not_found", why).next("ask for a version from 1 on that it has come to")
        }
        ([first, ..], Moment::Time(_)) => {
            let why = format!("there was no order {order_id} before {}", first.recorded_at.to_rfc3339());
            Problem::not_found("order_not_found", why).next("ask for a later time")
        }
    };
    let row = order_view::folded(moment.seen(&events)).map_err(|why| internal(&why))?;
    row.ok_or_else(not_found)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn recorded(version: i32, seconds: i64) -> RecordedEvent {
        RecordedEvent {
            partition: 0,
            position: i64::from(version),
            append_id: Uuid::nil(),
            stream_id: "order:x".to_owned(),
            version,
            partition_key: "x".to_owned(),
            event_type: "order.created".to_owned(),
            schema_version: 1,
            payload: "{}".to_owned(),
            meta: "{}".to_owned(),
            recorded_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(seconds),
        }
    }

    #[test]
    fn a_moment_is_a_version_or_a_time_with_its_offset() {
        assert_eq!("3".parse(), Ok(Moment::Version(3)));
        let ten = "2026-11-26T10:00:00Z".parse::<DateTime<Utc>>().expect("a time");
        assert_eq!("2026-11-26T11:00:00+01:00".parse(), Ok(Moment::Time(ten)));
        for bad in ["0", "-1", "+1", "", "99999999999", "yesterday", "2026-11-26", "2026-11-26T10:00:00", "1.5"] {
            assert!(bad.parse::<Moment>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_moment_has_seen_what_was_recorded_by_then() {
        let events = [recorded(1, 10), recorded(2, 20), recorded(3, 20)];
        let seen = |text: &str| text.parse::<Moment>().expect("a moment").seen(&events).len();
        assert_eq!(["1", "2", "3", "4"].map(seen), [1, 2, 3, 0]);
        let at = ["1970-01-01T00:00:09Z", "1970-01-01T00:00:10Z", "1970-01-01T00:00:20Z", "2970-01-01T00:00:00Z"];
        assert_eq!(at.map(seen), [0, 1, 3, 3]);
    }
}
