//! The lines of an order, in the one form in which two of them can be compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// One line as it travels, in requests and events alike; prices and the like are not read.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    pub product_id: String,
    pub quantity: i64,
}

/// Lines sorted by product, the same product merged, as the service does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines(BTreeMap<String, i64>);

impl Lines {
    pub fn merged(lines: impl IntoIterator<Item = Line>) -> Self {
        let mut merged = BTreeMap::new();
        for line in lines {
            let quantity: &mut i64 = merged.entry(line.product_id).or_default();
            *quantity = quantity.saturating_add(line.quantity);
        }
        Self(merged)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(product, quantity)| (product.as_str(), *quantity))
    }

    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

#[cfg(test)]
pub(crate) fn lines(pairs: &[(&str, i64)]) -> Lines {
    Lines::merged(pairs.iter().map(|(product, quantity)| Line { product_id: (*product).into(), quantity: *quantity }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_repetition_of_lines_do_not_matter() {
        assert_eq!(lines(&[("b", 1), ("a", 2), ("b", 3)]).digest(), lines(&[("a", 2), ("b", 4)]).digest());
    }

    #[test]
    fn another_quantity_is_another_digest() {
        assert_ne!(lines(&[("a", 2)]).digest(), lines(&[("a", 3)]).digest());
    }
}
