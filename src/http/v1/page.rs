//! Lists page by page, newest first: how many, from where on, and what asks for the next page.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::http::error::{FieldError, Problem, Refused};

/// Entries of a page whose caller names no number.
const USUAL: u32 = 50;

/// Where a page ended: time and id of its last entry.
pub(super) type Place = (DateTime<Utc>, Uuid);

/// A page of a list, newest first.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    items: Vec<T>,
    /// Asks for the page after this one; null on the last.
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Of `rows`, of which one more than `limit` was asked for.
    pub(super) fn of<R>(
        mut rows: Vec<R>,
        limit: u32,
        place: impl Fn(&R) -> Option<Place>,
        body: impl Fn(R) -> Result<T, Refused>,
    ) -> Result<Self, Refused> {
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| has_more).and_then(place).map(write_cursor);
        Ok(Self { items: rows.into_iter().map(body).collect::<Result<_, _>>()?, next_cursor })
    }
}

/// How many entries a page is to have.
pub(super) fn limit(asked: Option<u32>, most: u32) -> Result<u32, Refused> {
    let limit = asked.unwrap_or(USUAL.min(most));
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::new(StatusCode::BAD_REQUEST, "bad_query", format!("limit is 1 to {most}, not {limit}"))
        .errors(vec![FieldError::new("limit", format!("expected 1 to {most}"))])
        .next("ask for a smaller page and follow nextCursor"))
}

/// 16 digits of time, 32 of id, all hexadecimal: opaque, and safe in a query.
fn write_cursor((at, id): Place) -> String {
    format!("{:016x}{}", at.timestamp_micros(), id.simple())
}

/// Reads what a page before said.
pub(super) fn read_cursor(cursor: &str) -> Result<Place, Refused> {
    let read = || {
        let (at, id) = cursor.split_at_checked(16)?;
        let is_ours = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        let micros = i64::from_str_radix(at, 16).ok().filter(|_| cursor.len() == 48 && cursor.bytes().all(is_ours))?;
        Some((DateTime::from_timestamp_micros(micros)?, Uuid::try_parse(id).ok()?))
    };
    read().ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", "the cursor is none of this service's")
            .errors(vec![FieldError::new("cursor", "expected the nextCursor of an earlier page")])
            .next("begin without a cursor")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let at = DateTime::from_timestamp_micros(1_700_000_000_123_456).expect("a time");
        let id = Uuid::from_u128(0x1234_5678_9abc);
        assert_eq!(read_cursor(&write_cursor((at, id))).ok(), Some((at, id)));
    }

    #[test]
    fn any_other_cursor_is_refused() {
        let good = write_cursor((DateTime::UNIX_EPOCH, Uuid::nil()));
        for bad in [
            "",
            "abc",
            "ä",
            &good[1..],
            &format!("{good}0"),
            &good.replace('0', "g"),
            &"f".repeat(48),
            &good.replacen('0', "+", 1),
        ] {
            let problem = read_cursor(bad).expect_err(bad);
            assert_eq!((problem.status().as_u16(), problem.code()), (400, "bad_cursor"), "{bad}");
        }
    }

    #[test]
    fn a_page_that_is_not_the_last_says_where_it_ended() {
        let place = |n: &u128| Some((DateTime::UNIX_EPOCH, Uuid::from_u128(*n)));
        let page = Page::of(vec![3, 2, 1], 2, place, Ok).expect("a page");
        assert_eq!((page.items, page.next_cursor), (vec![3, 2], place(&2).map(write_cursor)));
        assert_eq!(Page::of(vec![3, 2], 2, place, Ok).expect("a page").next_cursor, None);
    }
}
