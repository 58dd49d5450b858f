//! Values in the text format of `COPY … FROM STDIN`.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::Serialize;
use sqlx::types::Json;
use uuid::Uuid;

/// A value in the text format of COPY.
pub trait CopyText {
    /// Writes it, without what ends a column.
    fn copy(&self, out: &mut String);
}

impl CopyText for String {
    fn copy(&self, out: &mut String) {
        let mut rest = self.as_str();
        // Hardly any value has one of these, and then it is one copy.
        while let Some(place) = rest.find(['\\', '\n', '\r', '\t']) {
            out.push_str(&rest[..place]);
            out.push_str(match rest.as_bytes()[place] {
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'\r' => "\\r",
                _ => "\\t",
            });
            rest = &rest[place + 1..];
        }
        out.push_str(rest);
    }
}

/// What Postgres reads as it is displayed, and never has to escape.
macro_rules! displayed {
    ($($type:ty),+) => {
        $(impl CopyText for $type {
            fn copy(&self, out: &mut String) {
                _ = write!(out, "{self}");
            }
        })+
    };
}
displayed!(i16, i32, i64, bool, Uuid, NaiveDate);

impl CopyText for DateTime<Utc> {
    fn copy(&self, out: &mut String) {
        out.push_str(&self.to_rfc3339_opts(SecondsFormat::Micros, true));
    }
}

impl<T: Serialize> CopyText for Json<T> {
    fn copy(&self, out: &mut String) {
        // Rows hold what was read from JSON, which can be written as JSON.
        serde_json::to_string(&self.0).unwrap_or_default().copy(out);
    }
}

impl<T: CopyText> CopyText for Option<T> {
    fn copy(&self, out: &mut String) {
        match self {
            Some(value) => value.copy(out),
            None => out.push_str("\\N"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_column_or_a_row_is_escaped() {
        let mut out = String::new();
        "a\tb\\n\r\nc".to_owned().copy(&mut out);
        assert_eq!(out, "a\\tb\\\\n\\r\\nc");
    }
}
