//! Which promise an invariant of the checker belongs to.

use crate::checker::checks::{
    accepted, letters, notifications, orders, placement, positions, readable, reservations, stock, versions,
};
use crate::checker::{cli, history_index, topic_audit};

/// What is promised, by name, and in one line.
pub const PROMISES: [(&str, &str); 7] = [
    ("I1", "every acceptance is in the log, as asked and as answered; every key makes one order at most"),
    ("I2", "versions of each stream are 1..n; positions of each partition are 1..N without gaps"),
    ("I3", "Kafka holds the log: complete, each stream in order, nothing else"),
    ("I4", "every view is the fold of the log, every effect happens once, however often an event is delivered"),
    ("I5", "no piece is sold twice or lost; no order is both confirmed and rejected"),
    ("I9", "half a minute after a fault is healed no order waits unusually long; nothing restarts for ever"),
    ("I10", "callers get their answer in time, or 503 with Retry-After; memory is bounded"),
];

const RULES: [(&str, &[&str]); 6] = [
    (
        "I1",
        &[
            accepted::IN_THE_LOG,
            accepted::AS_ASKED,
            accepted::TOKEN,
            accepted::ONE_ORDER,
            accepted::NOTHING_STORED,
            accepted::CANCELLED,
            history_index::SAME_ANSWER,
            history_index::WHOLE_ANSWER,
            history_index::OWN_ORDER,
        ],
    ),
    (
        "I2",
        &[
            versions::ONE_TO_N,
            positions::WITHOUT_HOLES,
            placement::BY_KEY,
            placement::KEY_OF_STREAM,
            readable::READABLE,
        ],
    ),
    (
        "I3",
        &[
            topic_audit::COMPLETE,
            topic_audit::FOREIGN,
            topic_audit::CONTENT,
            topic_audit::ONE_ID,
            topic_audit::IN_ORDER,
            topic_audit::CHAIN,
            topic_audit::PARTITIONS,
            cli::KAFKA_KEPT,
        ],
    ),
    (
        "I4",
        &[
            stock::VIEW_IS_FOLD,
            notifications::ONCE,
            notifications::TOLD,
            notifications::IN_ORDER,
            letters::ONE_LETTER,
            letters::NO_OTHER,
            letters::NONE_OPEN,
            cli::NO_DEAD_LETTERS,
        ],
    ),
    (
        "I5",
        &[
            stock::CONSERVED,
            stock::NOT_NEGATIVE,
            stock::NOT_OVERSOLD,
            orders::ALLOWED,
            orders::DECIDED_ONCE,
            orders::OUTCOME,
            reservations::ONE_DECISION,
            reservations::FOLLOWED,
            reservations::SAME_LINES,
            reservations::JUSTIFIED,
            reservations::GIVEN_BACK,
        ],
    ),
    ("I9", &[cli::AT_REST, cli::NOTHING_WAITS]),
];

/// The promise behind an invariant; `?` for one that nobody has put under a promise.
pub fn promise_of(invariant: &str) -> &'static str {
    RULES.iter().find(|(_, invariants)| invariants.contains(&invariant)).map_or("?", |(promise, _)| promise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::checks;
    use crate::checker::letters::Discarded;

    #[test]
    fn every_invariant_belongs_to_a_promise() {
        let (history, stock) = (history_index::HistoryIndex::default(), checks::StockView::new());
        let mut checks = checks::all(1, history, stock, &Discarded::default());
        checks.push(Box::new(letters::Letters::of(Vec::new(), Vec::new())));
        let of_log = checks.into_iter().flat_map(checks::LogCheck::findings);
        let of_topics = topic_audit::TopicFindings::default().all(false);
        for finding in of_log.chain(of_topics) {
            assert_ne!(promise_of(finding.invariant), "?", "{}", finding.invariant);
        }
        assert_eq!(promise_of("all is well"), "?");
    }
}
