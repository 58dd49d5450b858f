//! Positions are 1 to the head, each once.

use super::LogCheck;
use crate::checker::finding::Finding;
use crate::checker::row::Row;

pub const WITHOUT_HOLES: &str = "positions of a partition are 1..head without holes";

pub struct Positions {
    last: i64,
    finding: Finding,
}

impl Default for Positions {
    fn default() -> Self {
        Self { last: 0, finding: Finding::of(WITHOUT_HOLES) }
    }
}

impl LogCheck for Positions {
    fn row(&mut self, row: &Row) {
        let last = self.last;
        self.finding.check(row.position == last + 1, || format!("{} after position {last}", row.name()));
        self.last = row.position;
    }

    fn end_of_partition(&mut self, partition: i16, head: i64) {
        let last = std::mem::take(&mut self.last);
        self.finding.check(last == head, || format!("partition {partition} ends at {last}, log_head says {head}"));
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
    fn a_hole_is_found() {
        let rows = [order(1, 1, 1, "order.created"), order(3, 2, 1, "order.created")];
        assert_eq!(violated(&judge(Positions::default(), &rows)), [WITHOUT_HOLES]);
    }

    #[test]
    fn a_head_beyond_the_last_row_is_found() {
        let mut positions = Positions::default();
        positions.row(&order(1, 1, 1, "order.created"));
        positions.end_of_partition(0, 2);
        assert_eq!(violated(&Box::new(positions).findings()), [WITHOUT_HOLES]);
    }

    #[test]
    fn every_partition_begins_at_one() {
        let mut positions = Positions::default();
        for partition in 0..2 {
            positions.row(&order(1, 1, 1, "order.created"));
            positions.end_of_partition(partition, 1);
        }
        assert_eq!(violated(&Box::new(positions).findings()), [""; 0]);
    }
}
