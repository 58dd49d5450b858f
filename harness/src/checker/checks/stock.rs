//! Stock is conserved: what was received is available, reserved or shipped, in the log and in the view alike.

use std::collections::BTreeMap;

use super::LogCheck;
use crate::checker::finding::Finding;
use crate::checker::row::Row;
use crate::wire::event::Event;
use crate::wire::lines::Lines;

pub const CONSERVED: &str = "received = available + reserved + shipped in the stock view";
pub const VIEW_IS_FOLD: &str = "the stock view is what the log folds to";
pub const NOT_NEGATIVE: &str = "no part of a product's stock is negative";
pub const NOT_OVERSOLD: &str = "no product is sold beyond what was received";

/// Rows of the stock view, by product.
pub type StockView = BTreeMap<String, StockRow>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StockRow {
    pub available: i128,
    pub reserved: i128,
    pub shipped: i128,
}

/// What the log says of one product. Its events lie in many partitions, so only sums are judged.
#[derive(Clone, Copy, Default)]
struct Folded {
    received: i128,
    reserved: i128,
    released: i128,
    shipped: i128,
}

impl Folded {
    fn row(&self) -> StockRow {
        StockRow {
            available: self.received - self.reserved + self.released,
            reserved: self.reserved - self.released - self.shipped,
            shipped: self.shipped,
        }
    }
}

pub struct Stock {
    view: StockView,
    folded: BTreeMap<String, Folded>,
}

impl Stock {
    pub fn against(view: StockView) -> Self {
        Self { view, folded: BTreeMap::new() }
    }

    fn add(&mut self, product: &str, change: impl FnOnce(&mut Folded)) {
        // Most products are known; looking first saves a copy of the name for each line.
        match self.folded.get_mut(product) {
            Some(folded) => change(folded),
            None => change(self.folded.entry(product.to_owned()).or_default()),
        }
    }

    fn add_lines(&mut self, lines: &Lines, field: fn(&mut Folded) -> &mut i128) {
        for (product, quantity) in lines.iter() {
            self.add(product, |folded| *field(folded) += i128::from(quantity));
        }
    }
}

impl LogCheck for Stock {
    fn row(&mut self, row: &Row) {
        match &row.event {
            Event::StockReceived { product, quantity } => {
                self.add(product, |folded| folded.received += i128::from(*quantity));
            }
            Event::StockReserved { lines, .. } => self.add_lines(lines, |folded| &mut folded.reserved),
            Event::StockReleased { lines, .. } => self.add_lines(lines, |folded| &mut folded.released),
            Event::StockShipped { lines, .. } => self.add_lines(lines, |folded| &mut folded.shipped),
            _ => (),
        }
    }

    fn findings(mut self: Box<Self>) -> Vec<Finding> {
        let mut conserved = Finding::of(CONSERVED);
        let mut view_is_fold = Finding::of(VIEW_IS_FOLD);
        let mut not_negative = Finding::of(NOT_NEGATIVE);
        let mut not_oversold = Finding::of(NOT_OVERSOLD);
        for product in self.view.keys() {
            if !self.folded.contains_key(product) {
                self.folded.insert(product.clone(), Folded::default());
            }
        }
        for (product, folded) in &self.folded {
            let view = self.view.get(product).copied().unwrap_or_default();
            let (fold, received) = (folded.row(), folded.received);
            let sum = view.available + view.reserved + view.shipped;
            conserved.check(sum == received, || format!("{product}: received {received}, the view adds up to {sum}"));
            view_is_fold.check(view == fold, || format!("{product}: view {view:?}, log {fold:?}"));
            let parts = [view, fold].map(|row| row.available.min(row.reserved).min(row.shipped));
            not_negative
                .check(parts.iter().all(|part| *part >= 0), || format!("{product}: view {view:?}, log {fold:?}"));
            let sold = folded.reserved - folded.released;
            not_oversold.check(sold <= received, || format!("{product}: received {received}, sold {sold}"));
        }
        vec![conserved, view_is_fold, not_negative, not_oversold]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::checks::{judge, violated};
    use crate::checker::row::fabricated::{inventory, received};

    fn view(available: i128, reserved: i128, shipped: i128) -> StockView {
        StockView::from([("a".into(), StockRow { available, reserved, shipped })])
    }

    fn violated_by(view: StockView, rows: &[Row]) -> Vec<&'static str> {
        violated(&judge(Stock::against(view), rows))
    }

    #[test]
    fn a_fold_of_every_movement_equals_the_view() {
        let rows = [
            received(1, 9, 10),
            inventory(2, 1, 1, "inventory.reserved", 2),
            inventory(3, 2, 1, "inventory.reserved", 3),
            inventory(4, 2, 2, "inventory.released", 3),
            inventory(5, 1, 2, "inventory.shipped", 2),
            inventory(6, 3, 1, "inventory.reserved", 1),
        ];
        assert_eq!(violated_by(view(7, 1, 2), &rows), [""; 0]);
    }

    #[test]
    fn a_product_without_movement_may_lack_a_row_or_have_zeros() {
        assert_eq!(violated_by(view(0, 0, 0), &[]), [""; 0]);
        assert_eq!(violated_by(StockView::new(), &[received(1, 9, 0)]), [""; 0]);
    }

    #[test]
    fn lost_stock_is_found() {
        assert_eq!(violated_by(view(9, 0, 0), &[received(1, 9, 10)]), [CONSERVED, VIEW_IS_FOLD]);
        assert_eq!(violated_by(StockView::new(), &[received(1, 9, 10)]), [CONSERVED, VIEW_IS_FOLD]);
    }

    #[test]
    fn stock_from_nowhere_is_found() {
        assert_eq!(violated_by(view(1, 0, 0), &[]), [CONSERVED, VIEW_IS_FOLD]);
    }

    #[test]
    fn stock_in_the_wrong_place_is_found() {
        let rows = [received(1, 9, 10), inventory(2, 1, 1, "inventory.reserved", 2)];
        assert_eq!(violated_by(view(10, 0, 0), &rows), [VIEW_IS_FOLD]);
    }

    #[test]
    fn overselling_is_found() {
        let rows = [received(1, 9, 1), inventory(2, 1, 1, "inventory.reserved", 2)];
        assert_eq!(violated_by(view(-1, 2, 0), &rows), [NOT_NEGATIVE, NOT_OVERSOLD]);
    }
}
