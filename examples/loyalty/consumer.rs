//! What is read, and what follows from it.

use std::collections::BTreeMap;

use ordo::contracts::topics;
use ordo::domain::{Currency, UserId};
use ordo::subscription::{Consumer, Decisions, Failure, Received, Tx, reads};
use serde::Deserialize;

use crate::points::{self, Earned};

/// The part of `order.confirmed` that is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirmed {
    user_id: UserId,
    total_amount: i64,
    currency: Currency,
}

reads! {
    /// What this consumer reads.
    enum Reads {
        "order.confirmed" => Confirmed(Confirmed),
    }
}

/// The consumer. An order that is cancelled once it was confirmed keeps its points.
#[derive(Debug)]
pub struct Loyalty;

impl Consumer for Loyalty {
    const NAME: &'static str = "loyalty";
    const TOPICS: &'static [&'static str] = &[topics::ORDER_EVENTS];
    type Reads = Reads;

    async fn handle(&self, batch: &[Received<Reads>], tx: &mut Tx<'_>) -> Result<Decisions, Failure> {
        // By user, and so in the order of the keys: two workers that lock the same rows never wait for each other in a ring.
        let mut earned: BTreeMap<&str, Earned> = BTreeMap::new();
        for Received { event: Reads::Confirmed(order), .. } in batch {
            let of_user = earned.entry(order.user_id.as_str()).or_default();
            of_user.points += whole_units(order.total_amount, order.currency);
            of_user.orders += 1;
        }
        points::add(&earned, tx.db).await?;
        Ok(Decisions::new())
    }
}

/// 19.99 euro are 19, 1999 yen are 1999: `amount` is in minor units, and how many make a whole depends on the currency.
fn whole_units(amount: i64, currency: Currency) -> i64 {
    let decimals = iso_currency::Currency::from_code(currency.as_str()).and_then(|known| known.exponent()).unwrap_or(0);
    amount / 10_i64.pow(decimals.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_units_count_whatever_the_currency_divides_them_into() {
        for (amount, code, units) in [(1999, "EUR", 19), (99, "EUR", 0), (1999, "JPY", 1999), (12_345, "BHD", 12)] {
            assert_eq!(whole_units(amount, code.parse().unwrap()), units, "{amount} {code}");
        }
    }
}
