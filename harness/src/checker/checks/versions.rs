//! The versions of a stream are 1..n, in the order of positions.

use std::collections::HashMap;

use super::LogCheck;
use crate::checker::finding::Finding;
use crate::checker::row::Row;
use crate::wire::digest::Digest;

pub const ONE_TO_N: &str = "versions of a stream are 1..n";

/// A stream lives in one partition, so what is known of streams is forgotten at its end; a stream that is in two begins
/// above 1 in one of them, or twice, which `placement` finds.
pub struct Versions {
    last: HashMap<Digest, i32>,
    finding: Finding,
}

impl Default for Versions {
    fn default() -> Self {
        Self { last: HashMap::new(), finding: Finding::of(ONE_TO_N) }
    }
}

impl LogCheck for Versions {
    fn row(&mut self, row: &Row) {
        let last = self.last.entry(Digest::of(row.stream_id.as_str())).or_insert(0);
        self.finding.check(row.version == *last + 1, || format!("{} after version {last}", row.name()));
        *last = row.version;
    }

    fn end_of_partition(&mut self, _partition: i16, _head: i64) {
        self.last.clear();
    }

    fn findings(self: Box<Self>) -> Vec<Finding> {
        vec![self.finding]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::checks::{judge, violated};
    use crate::checker::row::fabricated::order;

    #[test]
    fn a_skipped_repeated_or_inverted_version_is_found() {
        for versions in [[1, 3], [1, 1], [2, 1]] {
            let rows = [order(1, 1, versions[0], "order.created"), order(2, 1, versions[1], "order.confirmed")];
            assert_eq!(violated(&judge(Versions::default(), &rows)), [ONE_TO_N], "{versions:?}");
        }
    }

    #[test]
    fn streams_count_apart() {
        let rows =
            [order(1, 1, 1, "order.created"), order(2, 2, 1, "order.created"), order(3, 1, 2, "order.confirmed")];
        assert_eq!(violated(&judge(Versions::default(), &rows)), [""; 0]);
    }
}
