//! What a topic partition holds against what the log says it should: pure, fed record by record.
//!
//! Only the first occurrence of a position counts; what the relay published again after a crash is a repetition and no
//! difference. A position that first occurs behind a later one is out of order.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::contracts::Position;

/// How a topic differs from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The topic ends before events that the relay has published.
    Short,
    /// The topic lacks events between others.
    Hole,
    /// An event comes for the first time behind a later one.
    OutOfOrder,
    /// The log does not know a record.
    Foreign,
}

impl Kind {
    /// What to do about it.
    #[must_use]
    pub const fn next(self) -> &'static str {
        match self {
            Self::Short => {
                "start a process with the role relay again: it compares the topic with the log and publishes what is missing"
            }
            Self::Hole => {
                "consumers of ordo read what is missing from the log; for other readers delete the topic while no relay \
                 runs, and start the relay: it publishes the topic again from the log"
            }
            Self::OutOfOrder => {
                "consumers of ordo go by position and are not affected; other readers must order by ce_sequence"
            }
            Self::Foreign => {
                "find who else writes to this topic and take the right away; consumers made it a dead letter"
            }
        }
    }
}

/// The first thing found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Of which kind.
    pub kind: Kind,
    /// Position in the log that is missing or out of order; absent for a foreign record.
    pub position: Option<Position>,
    /// Offset of the record concerned, or of the one after a hole; absent where the topic ended.
    pub offset: Option<i64>,
    /// In words.
    pub what: String,
    /// What to do about it.
    pub next: &'static str,
}

/// One topic partition, compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The topic, by our name of it.
    pub topic: String,
    /// Its partition.
    pub partition: i16,
    /// Events that should be there: those up to the relay's checkpoint.
    pub events: u64,
    /// Records that are there.
    pub records: u64,
    /// Events that are not there.
    pub missing: u64,
    /// Events whose first record stands behind a later one.
    pub out_of_order: u64,
    /// Records the log does not know.
    pub foreign: u64,
    /// Records of events seen before: published again after a crash of the relay.
    pub repeated: u64,
    /// Records of events beyond the relay's checkpoint: published and not yet noted.
    pub ahead: u64,
    /// What was found first.
    pub first: Option<Difference>,
}

impl Report {
    /// Whether the topic holds what the log says and nothing else.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.missing == 0 && self.out_of_order == 0 && self.foreign == 0
    }
}

/// Expected positions that were passed without a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    pub(super) count: u64,
    pub(super) first: Position,
}

/// A comparison under way.
#[derive(Debug)]
pub(super) struct Comparison {
    report: Report,
    /// Position of the newest event seen.
    last: Position,
    /// Up to which position events are expected.
    through: Position,
    /// Open intervals in which expected positions were missing when they were passed.
    holes: Vec<(Position, Position)>,
    /// Positions in holes that came after all.
    late: BTreeSet<Position>,
}

impl Comparison {
    pub(super) fn new(topic: &str, partition: i16, through: Position) -> Self {
        let report = Report { topic: topic.to_owned(), partition, ..Report::default() };
        Self { report, last: 0, through, holes: Vec::new(), late: BTreeSet::new() }
    }

    /// A record the log does not know.
    pub(super) fn foreign(&mut self, offset: i64, why: &str) {
        self.report.records += 1;
        self.report.foreign += 1;
        self.differs(Kind::Foreign, None, Some(offset), || format!("the record at offset {offset} is foreign: {why}"));
    }

    /// Whether a record of this position is no news.
    pub(super) fn is_behind(&self, position: Position) -> bool {
        position <= self.last
    }

    /// A record of an event at or before the newest seen.
    pub(super) fn behind(&mut self, offset: i64, position: Position) {
        self.report.records += 1;
        if !self.is_awaited(position) || !self.late.insert(position) {
            self.report.repeated += 1;
            return;
        }
        self.report.missing -= 1;
        self.report.out_of_order += 1;
        let last = self.last;
        self.differs(Kind::OutOfOrder, Some(position), Some(offset), || {
            format!("position {position} first occurs at offset {offset}, behind position {last}")
        });
    }

    /// Whether the position was counted as missing when it was passed.
    fn is_awaited(&self, position: Position) -> bool {
        let hole = self.holes.get(self.holes.partition_point(|(_, before)| *before <= position));
        position <= self.through && hole.is_some_and(|(after, _)| *after < position)
    }

    /// A record of an event beyond the newest seen; `skipped` of those expected before it did not come.
    pub(super) fn advance(&mut self, offset: i64, position: Position, skipped: Skipped) {
        self.report.records += 1;
        if skipped.count > 0 {
            self.holes.push((self.last, position));
            self.lacks(skipped);
            let Skipped { count, first } = skipped;
            self.differs(Kind::Hole, Some(first), Some(offset), || {
                format!("{count} events from position {first} on are missing before offset {offset}")
            });
        }
        self.last = position;
        if position <= self.through {
            self.report.events += 1;
        } else {
            self.report.ahead += 1;
        }
    }

    /// The topic has ended; `skipped` of the events expected never came.
    pub(super) fn finish(mut self, skipped: Skipped) -> Report {
        if skipped.count > 0 {
            self.lacks(skipped);
            let Skipped { count, first } = skipped;
            self.differs(Kind::Short, Some(first), None, || {
                format!("the topic ends and {count} events from position {first} on are missing")
            });
        }
        self.report
    }

    fn lacks(&mut self, skipped: Skipped) {
        self.report.missing += skipped.count;
        self.report.events += skipped.count;
    }

    fn differs(&mut self, kind: Kind, position: Option<Position>, offset: Option<i64>, what: impl FnOnce() -> String) {
        let next = kind.next();
        self.report.first.get_or_insert_with(|| Difference { kind, position, offset, what: what(), next });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares a topic, given as the positions of its records (0 a foreign one), with a log of positions 1 to `through`.
    fn compared(records: &[Position], through: Position) -> Report {
        let mut comparison = Comparison::new("t", 0, through);
        for (offset, position) in (0..).zip(records) {
            if *position == 0 {
                comparison.foreign(offset, "rubbish");
            } else if comparison.is_behind(*position) {
                comparison.behind(offset, *position);
            } else {
                let first = comparison.last + 1;
                let skipped = u64::try_from((*position).min(through + 1) - first).unwrap_or(0);
                comparison.advance(offset, *position, Skipped { count: skipped, first });
            }
        }
        let (first, last) = (comparison.last + 1, through);
        comparison.finish(Skipped { count: u64::try_from(last + 1 - first).unwrap_or(0), first })
    }

    fn first(report: &Report) -> (Kind, Option<Position>, Option<i64>) {
        let first = report.first.as_ref().expect("something was found");
        (first.kind, first.position, first.offset)
    }

    #[test]
    fn an_honest_topic_is_clean_with_repetitions_and_with_records_beyond_the_checkpoint() {
        let report = compared(&[1, 2, 3, 2, 3, 4, 5, 6], 5);
        assert!(report.is_clean() && report.first.is_none(), "{report:?}");
        assert_eq!((report.events, report.records, report.repeated, report.ahead), (5, 8, 2, 1));
        assert!(compared(&[], 0).is_clean());
    }

    #[test]
    fn a_hole_is_told_with_its_first_position_and_the_offset_after_it() {
        let report = compared(&[1, 2, 5], 5);
        assert_eq!((report.missing, report.events, first(&report)), (2, 5, (Kind::Hole, Some(3), Some(2))));
    }

    #[test]
    fn what_comes_late_is_out_of_order_once_and_missing_no_more() {
        let report = compared(&[1, 4, 2, 3, 2, 5], 5);
        assert_eq!((report.missing, report.out_of_order, report.repeated), (0, 2, 1));
        assert_eq!(first(&report), (Kind::Hole, Some(2), Some(1)));
    }

    #[test]
    fn beyond_the_checkpoint_nothing_is_missing_and_nothing_late() {
        let report = compared(&[1, 2, 7, 6, 5], 5);
        assert_eq!((report.missing, report.out_of_order, report.repeated, report.ahead), (2, 1, 1, 1));
    }

    #[test]
    fn a_topic_that_ends_early_is_short() {
        let report = compared(&[1, 2], 5);
        assert_eq!((report.missing, first(&report)), (3, (Kind::Short, Some(3), None)));
        assert_eq!(compared(&[], 5).missing, 5);
    }

    #[test]
    fn a_foreign_record_moves_nothing() {
        let report = compared(&[1, 0, 2], 2);
        assert_eq!((report.missing, report.foreign, first(&report)), (0, 1, (Kind::Foreign, None, Some(1))));
    }
}
