//! The ranges of values: a section says them, one way, so that a wrong value is told the same way everywhere.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A number within its range.
///
/// # Errors
/// In one line: the key, its value, what is expected.
pub fn number<N: PartialOrd + Display>(key: &str, value: N, range: RangeInclusive<N>) -> Result<(), String> {
    if range.contains(&value) {
        Ok(())
    } else {
        Err(format!("{key} = {value}: expected {} to {}", range.start(), range.end()))
    }
}

/// A time within its range.
///
/// # Errors
/// In one line: the key, its value, what is expected.
pub fn time(key: &str, value: Duration, range: RangeInclusive<Duration>) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    let words = humantime::format_duration;
    Err(format!("{key} = {}: expected {} to {}", words(value), words(*range.start()), words(*range.end())))
}

/// Two times of which one cannot be more than the other.
///
/// # Errors
/// In one line: both keys and values.
pub fn ordered(less: (&str, Duration), more: (&str, Duration)) -> Result<(), String> {
    if less.1 <= more.1 {
        return Ok(());
    }
    let words = humantime::format_duration;
    Err(format!("{} = {}: expected at most {} = {}", less.0, words(less.1), more.0, words(more.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_outside_its_range_is_told_the_range() {
        assert_eq!(number("a.b", 3, 1..=3), Ok(()));
        assert_eq!(number("a.b", 4, 1..=3), Err("a.b = 4: expected 1 to 3".to_owned()));
        let second = Duration::from_secs(1);
        let error = time("a.b", Duration::from_mins(2), second..=second * 60);
        assert_eq!(error, Err("a.b = 2m: expected 1s to 1m".to_owned()));
        assert!(ordered(("a.min", second), ("a.max", second / 2)).is_err());
    }
}
