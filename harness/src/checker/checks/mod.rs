//! What must hold of the log. One check = one file and one line in [`all`].

pub(crate) mod accepted;
pub(crate) mod letters;
pub(crate) mod life;
pub(crate) mod notifications;
pub(crate) mod orders;
pub(crate) mod placement;
pub(crate) mod positions;
pub(crate) mod readable;
pub(crate) mod reservations;
pub(crate) mod stock;
pub(crate) mod versions;

use super::finding::Finding;
use super::history_index::HistoryIndex;
use super::letters::Discarded;
use super::row::Row;
pub use stock::{StockRow, StockView};

/// Sees every row of the log, partition after partition, each in position order. Pure.
pub trait LogCheck: Send {
    fn row(&mut self, row: &Row);
    /// `head` is what `log_head` says of the partition whose rows just ended.
    fn end_of_partition(&mut self, _partition: i16, _head: i64) {}
    fn findings(self: Box<Self>) -> Vec<Finding>;
}

/// `discarded` is what consumers were made to leave out.
pub fn all(partitions: u32, history: HistoryIndex, stock: StockView, discarded: &Discarded) -> Vec<Box<dyn LogCheck>> {
    vec![
        Box::new(accepted::Accepted::of(history)),
        Box::new(positions::Positions::default()),
        Box::new(versions::Versions::default()),
        Box::new(placement::Placement::over(partitions)),
        Box::new(readable::Readable::default()),
        Box::new(orders::Orders::but(discarded.clone())),
        Box::new(reservations::Reservations::but(discarded.clone())),
        Box::new(notifications::Notifications::but(discarded.clone())),
        Box::new(stock::Stock::against(stock)),
    ]
}

/// Runs one check over the rows of one partition whose head is the last row's position.
#[cfg(test)]
pub(crate) fn judge(mut check: impl LogCheck + 'static, rows: &[Row]) -> Vec<Finding> {
    rows.iter().for_each(|row| check.row(row));
    check.end_of_partition(0, rows.last().map_or(0, |row| row.position));
    Box::new(check).findings()
}

/// The invariants that did not hold.
#[cfg(test)]
pub(crate) fn violated(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().filter(|finding| !finding.holds()).map(|finding| finding.invariant).collect()
}
