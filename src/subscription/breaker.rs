//! The breaker: stops a consumer that dead-letters everything, instead of draining its topic into dead letters.
//!
//! Counted over what becomes of events, applied or given up. Followers that wait behind a letter are neither.

use sqlx::PgConnection;

const OUTCOMES: &str = include_str!("sql/breaker_outcomes.sql");
const RECENT: &str = include_str!("sql/breaker_recent.sql");
const TRIP: &str = include_str!("sql/breaker_trip.sql");

/// So many letters in a row trip it.
pub const IN_A_ROW: usize = 20;
/// So many letters among the last [`WINDOW`] outcomes trip it.
pub const AMONG: usize = 100;
/// The outcomes looked at.
pub const WINDOW: i64 = 1_000;

/// Judges by the numbers of the newest letters, newest first, each the count of outcomes with itself. `since` is the count
/// at the last reset: what an operator has answered for is not held against it again.
#[must_use]
pub fn judge(letters: &[i64], since: i64) -> Option<String> {
    let newest = *letters.first()?;
    let fresh: Vec<i64> = letters.iter().copied().filter(|number| *number > since).collect();
    // Numbers may repeat or leave some out by as many as partitions counted at the same time; what lies between the first
    // and the last of them decides.
    if fresh.len() >= IN_A_ROW && newest - fresh[IN_A_ROW - 1] < IN_A_ROW as i64 {
        return Some(format!("{IN_A_ROW} dead letters in a row"));
    }
    let among = fresh.iter().filter(|number| **number > newest - WINDOW).count();
    (among >= AMONG).then(|| format!("{among} dead letters among the last {WINDOW} events"))
}

/// How many outcomes a subscription has had: events applied, and events given up.
///
/// # Errors
/// What Postgres says.
pub(super) async fn outcomes(subscription: &str, db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(OUTCOMES).bind(subscription).fetch_one(db).await
}

/// Looks whether the letters written in this transaction are too many; if so the subscription is held from its commit on.
///
/// # Errors
/// What Postgres says.
pub(super) async fn look(subscription: &str, db: &mut PgConnection) -> sqlx::Result<Option<String>> {
    let most = i64::try_from(AMONG.max(IN_A_ROW)).unwrap_or(i64::MAX);
    let rows: Vec<(i64, i64)> = sqlx::query_as(RECENT).bind(subscription).bind(most).fetch_all(&mut *db).await?;
    let since = rows.first().map_or(0, |(_, since)| *since);
    let letters: Vec<i64> = rows.into_iter().map(|(number, _)| number).collect();
    let Some(why) = judge(&letters, since) else {
        return Ok(None);
    };
    sqlx::query(TRIP).bind(subscription).bind(&why).execute(db).await?;
    Ok(Some(why))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(newest_first: impl IntoIterator<Item = i64>) -> Vec<i64> {
        newest_first.into_iter().collect()
    }

    #[test]
    fn twenty_letters_in_a_row_stop_a_consumer_and_nineteen_do_not() {
        assert!(judge(&numbers((1..=20).rev()), 0).is_some());
        assert_eq!(judge(&numbers((1..=19).rev()), 0), None);
        // One event in between was applied.
        assert_eq!(judge(&numbers((2..=20).rev().chain([0])), 0), None);
    }

    #[test]
    fn a_tenth_of_the_last_thousand_stops_a_consumer() {
        assert!(judge(&numbers((1..=100).rev().map(|n| n * 10)), 0).is_some());
        assert_eq!(judge(&numbers((1..=99).rev().map(|n| n * 10)), 0), None);
        assert_eq!(judge(&numbers((1..=100).rev().map(|n| n * 11)), 0), None);
    }

    #[test]
    fn what_an_operator_has_answered_for_counts_no_more() {
        assert_eq!(judge(&numbers((1..=30).rev()), 15), None);
        assert!(judge(&numbers((1..=36).rev()), 15).is_some());
    }

    proptest! {
        #[test]
        fn a_hundredth_never_trips_it(spread in 100..1_000_i64, letters in 1..100_i64) {
            let numbers: Vec<i64> = (1..=letters).rev().map(|n| n * spread).collect();
            prop_assert_eq!(judge(&numbers, 0), None);
        }
    }
}
