//! UTC days: what the figures of `analytics` are grouped by.

use chrono::{NaiveDate, TimeDelta};

use crate::read_model::Recorded;

/// The UTC day on which an event was recorded; none for one that was only decided.
pub(super) fn recorded_on<E>(recorded: &Recorded<E>) -> Option<NaiveDate> {
    recorded.recorded_at.map(|at| at.date_naive())
}

/// Days from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: NaiveDate,
    /// The last.
    pub to: NaiveDate,
}

impl Days {
    /// So many days, of which `to` is the last.
    #[must_use]
    pub fn until(to: NaiveDate, days: i64) -> Self {
        Self { from: to.checked_sub_signed(TimeDelta::days(days - 1)).unwrap_or(NaiveDate::MIN), to }
    }

    /// How many they are; none or less if the last comes before the first.
    #[must_use]
    pub fn count(&self) -> i64 {
        (self.to - self.from).num_days() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_count() {
        let to = NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day");
        let days = Days::until(to, 30);
        assert_eq!((days.from.to_string(), days.count()), ("2026-01-31".to_owned(), 30));
        assert_eq!(Days { from: to, to: days.from }.count(), -28);
    }
}
