//! What each UTC day came to, by currency: of the events recorded on that day. Fed by analytics.
//!
//! Revenue is what was confirmed on the day, less what was cancelled on it after it had been confirmed, on whichever day
//! that was: so a day that is over never changes, and a day can come to less than nothing.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Serialize;

use super::days::{Days, recorded_on};
use super::sale::Sale;
use crate::domain::Currency;
use crate::domain::order::Event;
use crate::read_model::{Projection, QueryError, Recorded, TableRouter, row};

const LIST: &str = "select day_currency, day, currency, placed, confirmed, rejected, cancelled, revenue from {table} \
    where day between $1 and $2 and ($3::text is null or currency = $3) order by day, currency";

row! {
    /// One day and currency.
    #[derive(Default, Serialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    pub struct DailyRevenueRow {
        /// Both, such as `2026-11-26/EUR`.
        #[serde(skip)]
        key day_currency: String => "text",
        /// The day, in UTC.
        day: NaiveDate => "date",
        /// Currency of its orders.
        currency: String => "text",
        /// Orders accepted.
        placed: i64 => "bigint",
        /// Orders confirmed.
        confirmed: i64 => "bigint",
        /// Orders rejected.
        rejected: i64 => "bigint",
        /// Orders cancelled, confirmed before or not.
        cancelled: i64 => "bigint",
        /// Totals confirmed less totals cancelled after confirmation, in minor units.
        revenue: i64 => "bigint",
    }
}

/// The read model itself.
#[derive(Debug)]
pub struct DailyRevenue;

impl Projection for DailyRevenue {
    const NAME: &'static str = "daily_revenue";
    const VERSION: u16 = 1;
    const TEMPLATE: &'static str = include_str!("daily_revenue.sql");
    const STREAMS: &'static [&'static str] = &["order:"];
    const SHARED_ROWS: bool = true;
    type Event = Event;
    type Row = DailyRevenueRow;

    fn keys(recorded: &Recorded<Event>) -> Vec<String> {
        match &recorded.event {
            Event::Shipped(_) | Event::Delivered(_) => Vec::new(),
            event => recorded_on(recorded).map(|day| format!("{day}/{}", event.currency())).into_iter().collect(),
        }
    }

    fn fold(row: &mut DailyRevenueRow, recorded: &Recorded<Event>) {
        row.day = recorded_on(recorded).unwrap_or(row.day);
        row.currency = recorded.event.currency().to_string();
        row.revenue += Sale::of(&recorded.event).map_or(0, |sale| sale.amount());
        match &recorded.event {
            Event::Created(_) => row.placed += 1,
            Event::Confirmed(_) => row.confirmed += 1,
            Event::Rejected(_) => row.rejected += 1,
            Event::Cancelled(_) => row.cancelled += 1,
            Event::Shipped(_) | Event::Delivered(_) => {}
        }
    }

    fn merge(into: &mut DailyRevenueRow, part: DailyRevenueRow) {
        // A row nothing has happened to has neither.
        into.day = into.day.max(part.day);
        into.currency = std::mem::take(&mut into.currency).max(part.currency);
        into.placed += part.placed;
        into.confirmed += part.confirmed;
        into.rejected += part.rejected;
        into.cancelled += part.cancelled;
        into.revenue += part.revenue;
    }
}

/// Days on which orders changed, by day and currency.
///
/// # Errors
/// [`QueryError`].
pub async fn list(
    models: &TableRouter,
    days: Days,
    currency: Option<Currency>,
) -> Result<Vec<DailyRevenueRow>, QueryError> {
    let table = models.table::<DailyRevenue>().await?;
    let query = sqlx::query_as(table.sql(LIST)).bind(days.from).bind(days.to);
    Ok(query.bind(currency.map(|currency| currency.to_string())).fetch_all(models.db()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projections::lives::{Life, rows};

    /// Day, orders placed, confirmed, rejected, cancelled, and revenue.
    fn figures(lives: &[Life]) -> Vec<(String, [i64; 5])> {
        let rows = rows::<DailyRevenue>(lives.iter().flat_map(Life::events));
        let figures = |row: &DailyRevenueRow| [row.placed, row.confirmed, row.rejected, row.cancelled, row.revenue];
        rows.into_iter().map(|(key, row)| (key, figures(&row))).collect()
    }

    #[test]
    fn a_confirmed_order_is_revenue_of_the_day_it_was_confirmed_on() {
        let life = Life::placed(7, "2026-03-01T23:59:59Z").confirmed(2);
        assert_eq!(
            figures(&[life]),
            [("2026-03-01/EUR".to_owned(), [1, 0, 0, 0, 0]), ("2026-03-02/EUR".to_owned(), [0, 1, 0, 0, 700])]
        );
    }

    #[test]
    fn a_cancellation_after_confirmation_takes_revenue_from_its_own_day() {
        let life = Life::placed(7, "2026-03-01T12:00:00Z").confirmed(1).cancelled(86_400);
        assert_eq!(
            figures(&[life]),
            [("2026-03-01/EUR".to_owned(), [1, 1, 0, 0, 700]), ("2026-03-02/EUR".to_owned(), [0, 0, 0, 1, -700])]
        );
    }

    #[test]
    fn what_was_never_confirmed_was_never_revenue() {
        let lives =
            [Life::placed(7, "2026-03-01T12:00:00Z").cancelled(1), Life::placed(5, "2026-03-01T12:00:00Z").rejected(1)];
        assert_eq!(figures(&lives), [("2026-03-01/EUR".to_owned(), [2, 0, 1, 1, 0])]);
    }

    #[test]
    fn currencies_are_never_added_up() {
        let lives = [
            Life::placed(7, "2026-03-01T12:00:00Z").confirmed(1),
            Life::placed(5, "2026-03-01T12:00:00Z").paying("USD").confirmed(1).shipped(1),
        ];
        assert_eq!(
            figures(&lives),
            [("2026-03-01/EUR".to_owned(), [1, 1, 0, 0, 700]), ("2026-03-01/USD".to_owned(), [1, 1, 0, 0, 500])]
        );
    }
}
