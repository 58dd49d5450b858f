//! How far the orders placed on each UTC day have come, and how fast. Fed by analytics.
//!
//! An order counts on the day it was placed on, whenever its events are recorded: so no stage of a day has more orders than
//! the one before it, and what ships today changes the rows of the days it was ordered on, not one row that every partition
//! waits for.

use chrono::{NaiveDate, TimeDelta};
use schemars::JsonSchema;
use serde::Serialize;

use super::days::Days;
use crate::domain::order::Event;
use crate::read_model::{Projection, QueryError, Recorded, TableRouter, row};

const LIST: &str = "select placed_on, day, placed, confirmed, rejected, cancelled, shipped, delivered, \
    confirmed_in_100ms, confirmed_in_1s, confirmed_in_10s, confirmed_in_1min, confirmed_later, \
    shipped_in_1h, shipped_in_1d, shipped_in_3d, shipped_later from {table} where day between $1 and $2 order by day";

/// Upper bounds of the buckets from placed to confirmed, the bound included; the last bucket has none.
const CONFIRMED_IN: [TimeDelta; 4] =
    [TimeDelta::milliseconds(100), TimeDelta::seconds(1), TimeDelta::seconds(10), TimeDelta::minutes(1)];
/// The same from confirmed to shipped.
const SHIPPED_IN: [TimeDelta; 3] = [TimeDelta::hours(1), TimeDelta::days(1), TimeDelta::days(3)];

row! {
    /// Orders placed on one day. Each is counted in every status it has reached.
    #[derive(Default, Serialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    pub struct FunnelRow {
        /// The day as text.
        #[serde(skip)]
        key placed_on: String => "text",
        /// The day they were placed on, in UTC.
        day: NaiveDate => "date",
        /// All of them.
        placed: i64 => "bigint",
        /// Of them confirmed.
        confirmed: i64 => "bigint",
        /// Of them rejected.
        rejected: i64 => "bigint",
        /// Of them cancelled, confirmed before or not.
        cancelled: i64 => "bigint",
        /// Of them shipped.
        shipped: i64 => "bigint",
        /// Of them delivered.
        delivered: i64 => "bigint",
        /// Of those confirmed: at most 100 ms after they were placed.
        #[serde(rename = "confirmedIn100ms")]
        confirmed_in_100ms: i64 => "bigint",
        /// More than that, at most a second.
        #[serde(rename = "confirmedIn1s")]
        confirmed_in_1s: i64 => "bigint",
        /// More than that, at most ten seconds.
        #[serde(rename = "confirmedIn10s")]
        confirmed_in_10s: i64 => "bigint",
        /// More than that, at most a minute.
        #[serde(rename = "confirmedIn1min")]
        confirmed_in_1min: i64 => "bigint",
        /// More than that.
        confirmed_later: i64 => "bigint",
        /// Of those shipped: at most an hour after they were confirmed.
        #[serde(rename = "shippedIn1h")]
        shipped_in_1h: i64 => "bigint",
        /// More than that, at most a day.
        #[serde(rename = "shippedIn1d")]
        shipped_in_1d: i64 => "bigint",
        /// More than that, at most three days.
        #[serde(rename = "shippedIn3d")]
        shipped_in_3d: i64 => "bigint",
        /// More than that.
        shipped_later: i64 => "bigint",
    }
}

/// The read model itself.
#[derive(Debug)]
pub struct OrderFunnel;

impl Projection for OrderFunnel {
    const NAME: &'static str = "order_funnel";
    const VERSION: u16 = 1;
    const TEMPLATE: &'static str = include_str!("order_funnel.sql");
    const STREAMS: &'static [&'static str] = &["order:"];
    const SHARED_ROWS: bool = true;
    type Event = Event;
    type Row = FunnelRow;

    fn keys(recorded: &Recorded<Event>) -> Vec<String> {
        vec![recorded.event.created_at().date_naive().to_string()]
    }

    fn fold(row: &mut FunnelRow, recorded: &Recorded<Event>) {
        row.day = recorded.event.created_at().date_naive();
        match &recorded.event {
            Event::Created(_) => row.placed += 1,
            Event::Confirmed(moved) => {
                row.confirmed += 1;
                if let Some(confirmed_at) = moved.confirmed_at {
                    *row.confirmed_in(confirmed_at - moved.created_at) += 1;
                }
            }
            Event::Rejected(_) => row.rejected += 1,
            Event::Cancelled(_) => row.cancelled += 1,
            Event::Shipped(ended) => {
                row.shipped += 1;
                // It says when it was confirmed, and the log when it was shipped: two clocks, and buckets of hours.
                if let Some((confirmed_at, shipped_at)) = ended.confirmed_at.zip(recorded.recorded_at) {
                    *row.shipped_in(shipped_at - confirmed_at) += 1;
                }
            }
            Event::Delivered(_) => row.delivered += 1,
        }
    }

    fn merge(into: &mut FunnelRow, part: FunnelRow) {
        // A row nothing has happened to has none.
        into.day = into.day.max(part.day);
        into.placed += part.placed;
        into.confirmed += part.confirmed;
        into.rejected += part.rejected;
        into.cancelled += part.cancelled;
        into.shipped += part.shipped;
        into.delivered += part.delivered;
        into.confirmed_in_100ms += part.confirmed_in_100ms;
        into.confirmed_in_1s += part.confirmed_in_1s;
        into.confirmed_in_10s += part.confirmed_in_10s;
        into.confirmed_in_1min += part.confirmed_in_1min;
        into.confirmed_later += part.confirmed_later;
        into.shipped_in_1h += part.shipped_in_1h;
        into.shipped_in_1d += part.shipped_in_1d;
        into.shipped_in_3d += part.shipped_in_3d;
        into.shipped_later += part.shipped_later;
    }
}

impl FunnelRow {
    fn confirmed_in(&mut self, took: TimeDelta) -> &mut i64 {
        match bucket(took, &CONFIRMED_IN) {
            0 => &mut self.confirmed_in_100ms,
            1 => &mut self.confirmed_in_1s,
            2 => &mut self.confirmed_in_10s,
            3 => &mut self.confirmed_in_1min,
            _ => &mut self.confirmed_later,
        }
    }

    fn shipped_in(&mut self, took: TimeDelta) -> &mut i64 {
        match bucket(took, &SHIPPED_IN) {
            0 => &mut self.shipped_in_1h,
            1 => &mut self.shipped_in_1d,
            2 => &mut self.shipped_in_3d,
            _ => &mut self.shipped_later,
        }
    }
}

/// The first bucket that holds it. Clocks of two machines can make it negative: the first holds that, too.
fn bucket(took: TimeDelta, bounds: &[TimeDelta]) -> usize {
    bounds.iter().position(|bound| took <= *bound).unwrap_or(bounds.len())
}

/// Days on which orders were placed, by day.
///
/// # Errors
/// [`QueryError`].
pub async fn list(models: &TableRouter, days: Days) -> Result<Vec<FunnelRow>, QueryError> {
    let table = models.table::<OrderFunnel>().await?;
    Ok(sqlx::query_as(table.sql(LIST)).bind(days.from).bind(days.to).fetch_all(models.db()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projections::lives::{Life, rows};

    #[test]
    fn an_order_counts_in_every_status_it_reached_on_the_day_it_was_placed_on() {
        let lives = [
            Life::placed(1, "2026-03-01T23:59:59Z").confirmed(2).shipped(86_400).delivered(86_400),
            Life::placed(1, "2026-03-01T12:00:00Z").rejected(1),
            Life::placed(1, "2026-03-01T12:00:00Z").confirmed(1).cancelled(86_400),
        ];
        let rows = rows::<OrderFunnel>(lives.iter().flat_map(Life::events));
        let (day, row) = rows.first_key_value().expect("a day");
        assert_eq!((rows.len(), day.as_str(), row.day.to_string()), (1, "2026-03-01", day.clone()));
        let reached = [row.placed, row.confirmed, row.rejected, row.cancelled, row.shipped, row.delivered];
        assert_eq!(reached, [3, 2, 1, 1, 1, 1]);
    }

    #[test]
    fn a_bucket_holds_its_bound_and_every_time_is_in_one() {
        for (millis, expected) in [(-5, 0), (0, 0), (100, 0), (101, 1), (1_000, 1), (60_000, 3), (60_001, 4)] {
            assert_eq!(bucket(TimeDelta::milliseconds(millis), &CONFIRMED_IN), expected, "{millis} ms");
        }
        let lives: Vec<Life> = [0, 1, 2, 11, 61, 5_000, 90_000, 300_000]
            .into_iter()
            .map(|seconds| Life::placed(1, "2026-03-01T12:00:00Z").confirmed(seconds).shipped(seconds))
            .collect();
        let rows = rows::<OrderFunnel>(lives.iter().flat_map(Life::events));
        let row = &rows["2026-03-01"];
        let confirmed = [row.confirmed_in_100ms, row.confirmed_in_1s, row.confirmed_in_10s, row.confirmed_in_1min];
        assert_eq!((confirmed, row.confirmed_later), ([1, 1, 1, 1], 4));
        assert_eq!([row.shipped_in_1h, row.shipped_in_1d, row.shipped_in_3d, row.shipped_later], [5, 1, 1, 1]);
    }
}
