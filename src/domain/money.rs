//! Money: integer minor units with a currency of ISO 4217.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest amount the system handles, in minor units: the largest integer every JSON reader keeps exact (2^53 - 1).
const AMOUNT_MAX: i64 = (1 << 53) - 1;

/// A currency of ISO 4217, by its three letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(#[schemars(with = "String", regex(pattern = "^[A-Z]{3}$"))] [u8; 3]);

impl Currency {
    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency code is three ASCII letters")
    }
}

impl FromStr for Currency {
    type Err = InvalidMoney;
    fn from_str(code: &str) -> Result<Self, InvalidMoney> {
        iso_currency::Currency::from_code(code)
            .and_then(|_| code.as_bytes().try_into().ok().map(Self))
            .ok_or_else(|| InvalidMoney::UnknownCurrency(code.chars().take(16).collect()))
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidMoney;
    fn try_from(code: String) -> Result<Self, InvalidMoney> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why something is not money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMoney {
    /// Not a code of ISO 4217.
    #[error("{0:?} is not a currency code of ISO 4217, such as EUR")]
    UnknownCurrency(String),
    /// Negative, or beyond what JSON readers keep exact.
    #[error("an amount is 0 to {AMOUNT_MAX} minor units")]
    AmountOutOfRange,
}

/// An amount in minor units: `{"amount": 1999, "currency": "EUR"}` is 19.99 euro.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units, such as cents: 0 to 2^53 - 1.
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    amount: i64,
    /// Code of ISO 4217.
    currency: Currency,
}

impl Money {
    /// An amount within the range that every JSON reader keeps exact.
    ///
    /// # Errors
    /// [`InvalidMoney::AmountOutOfRange`].
    pub fn new(amount: i64, currency: Currency) -> Result<Self, InvalidMoney> {
        Self { amount, currency }.checked()
    }

    /// This amount if it is in range: deserialising alone does not tell.
    ///
    /// # Errors
    /// [`InvalidMoney::AmountOutOfRange`].
    pub fn checked(self) -> Result<Self, InvalidMoney> {
        if (0..=AMOUNT_MAX).contains(&self.amount) { Ok(self) } else { Err(InvalidMoney::AmountOutOfRange) }
    }

    /// Minor units.
    #[must_use]
    pub fn amount(&self) -> i64 {
        self.amount
    }

    /// Its currency.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }
}

/// `sum(price * quantity)`, or `None` beyond the range of [`Money`].
pub(crate) fn total(lines: impl IntoIterator<Item = (i64, u32)>) -> Option<i64> {
    lines
        .into_iter()
        .try_fold(0_i64, |sum, (price, quantity)| sum.checked_add(price.checked_mul(i64::from(quantity))?))
        .filter(|sum| (0..=AMOUNT_MAX).contains(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_of_iso_4217_are_currencies() {
        assert_eq!("EUR".parse::<Currency>().unwrap().as_str(), "EUR");
        for bad in ["", "eur", "EURO", "ZZZ", "€"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_total_beyond_exact_json_integers_is_none() {
        assert_eq!(total([(1999, 2), (1, 1)]), Some(3999));
        assert_eq!(total([(AMOUNT_MAX, 2)]), None);
        assert_eq!(total([(i64::MAX, u32::MAX)]), None);
    }
}
