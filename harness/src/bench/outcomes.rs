//! How long orders took from their acceptance to their outcome, read from the log once they have it: nothing watches while
//! it is measured.

use std::time::{Duration, Instant};

use anyhow::Context;
use sqlx::{Connection, PgConnection};

use super::stage::Stage;

/// $1 partition, $2 and $3 positions between which orders were accepted, $4 a user whose orders are left out.
const OUTCOMES: &str = "SELECT extract(epoch FROM decided.recorded_at - created.recorded_at)::float8 * 1000 \
     FROM log created LEFT JOIN log decided ON decided.stream_id = created.stream_id \
         AND decided.event_type IN ('order.confirmed', 'order.rejected') \
     WHERE created.partition = $1 AND created.position > $2 AND created.position <= $3 \
         AND created.event_type = 'order.created' AND created.payload::json ->> 'userId' <> $4";
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Of the orders of one window.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcomes {
    /// In milliseconds, by Postgres' clock, rising.
    millis: Vec<f64>,
    /// Orders that had none when the wait was over.
    pub missing: usize,
}

impl Outcomes {
    /// Waits until every order that was accepted between these heads has its outcome, or the bound of a drain is over.
    /// Orders of `except` are not looked at.
    pub async fn between(stage: &Stage, from: &[i64], to: &[i64], except: &str) -> anyhow::Result<Self> {
        let mut session = PgConnection::connect(&stage.database_url).await.context("could not read outcomes")?;
        let began = Instant::now();
        loop {
            let mut rows = Vec::new();
            for (partition, (from, to)) in (0_i16..).zip(from.iter().zip(to)) {
                let query =
                    sqlx::query_scalar::<_, Option<f64>>(OUTCOMES).bind(partition).bind(from).bind(to).bind(except);
                rows.extend(query.fetch_all(&mut session).await.context("could not read outcomes from the log")?);
            }
            let outcomes = Self::of(&rows);
            if outcomes.missing == 0 || began.elapsed() >= stage.drain_within {
                return Ok(outcomes);
            }
            stage.progress.show(&format!("waiting for the outcome of {} orders", outcomes.missing));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn of(rows: &[Option<f64>]) -> Self {
        let mut millis: Vec<f64> = rows.iter().flatten().copied().collect();
        millis.sort_by(f64::total_cmp);
        Self { missing: rows.len() - millis.len(), millis }
    }

    pub fn count(&self) -> usize {
        self.millis.len()
    }

    /// So many of a hundred took at most so many milliseconds; `None` of nothing. An order without an outcome counts as
    /// slower than all others, and if it is one of those asked about, there is no answer.
    pub fn percentile(&self, percent: usize) -> Option<f64> {
        let all = self.millis.len() + self.missing;
        let rank = (all * percent).div_ceil(100).max(1);
        self.millis.get(rank - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let rows: Vec<Option<f64>> = (1..=200).rev().map(|millis| Some(f64::from(millis))).collect();
        let outcomes = Outcomes::of(&rows);
        assert_eq!((outcomes.percentile(50), outcomes.percentile(99)), (Some(100.0), Some(198.0)));
        assert_eq!(Outcomes::of(&[]).percentile(50), None);
    }

    #[test]
    fn an_order_without_an_outcome_is_slower_than_all_others() {
        let outcomes = Outcomes::of(&[Some(2.0), None, Some(1.0)]);
        assert_eq!((outcomes.count(), outcomes.missing), (2, 1));
        assert_eq!((outcomes.percentile(50), outcomes.percentile(99)), (Some(2.0), None));
    }
}
