//! Durations on the command line: `500ms`, `30s`, `2m`; a bare number is seconds.

use std::time::Duration;

pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        _ => {
            return Err(format!("{unit:?} is no unit of time; write 500ms, 30s or 2m"));
        }
    };
    let number: f64 = number.parse().map_err(|_| format!("{text:?} is no duration; write 500ms, 30s or 2m"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| format!("{text:?} is too long; write 500ms, 30s or 2m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_milliseconds_seconds_and_minutes() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse("1.5"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "s", "3h", "-1s", "1.2.3s"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
