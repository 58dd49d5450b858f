//! Whether a topic still holds what was published to it: pure, so that every way to lose a topic is a test.
//!
//! What counts is the content, not what the broker says of itself: a topic made again under its name has offsets that
//! begin anew, and one cut at its end may have grown beyond the old place since.

use super::inspect::{End, Place};
use crate::contracts::Position;

/// What should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Offset after the last acknowledged record; 0 if none was.
    pub next_offset: i64,
    /// Position of that record. Acknowledgements run ahead of the relay's place, which waits for every topic, so a relay
    /// that died may have noted more than it has passed.
    pub position: Position,
    /// Position of the last event that belongs there and that the relay has passed, by the log; 0 if there is none.
    pub expected: Position,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything.
    Intact,
    /// Events are missing.
    Lost {
        /// The last that is there with all before it: what follows is to be published again.
        after: Position,
        /// What was seen, in words.
        why: String,
    },
    /// Events the log does not have: Postgres was set back, or somebody else writes there.
    Ahead {
        /// What was seen, in words.
        why: String,
    },
}

/// Judges one topic partition. `is_known` says whether the log has an event at just that place.
#[must_use]
pub fn judge(noted: &Noted, end: &End, is_known: impl Fn(&Place) -> bool) -> Verdict {
    if let Some(place) = unknown_successor(end, &is_known) {
        return Verdict::Ahead {
            why: format!(
                "{} holds version {} of {} at position {} (offset {}), which the log does not have",
                end.topic, place.version, place.stream_id, place.position, place.offset
            ),
        };
    }
    let last = noted.next_offset - 1;
    let is_noted = |place: &Place| place.offset == last && place.position == noted.position && is_known(place);
    let is_last = |place: &Place| noted.position >= noted.expected && is_noted(place);
    // What retention has removed cannot be looked at; the offsets go on all the same.
    let is_removed = noted.next_offset > 0 && end.low > last && end.high >= noted.next_offset;
    if noted.expected == 0 || is_removed || end.tail.iter().any(is_last) {
        return Verdict::Intact;
    }
    let after = intact(end, is_known);
    if after >= noted.expected {
        // Published again already, by whoever could not note it any more.
        return Verdict::Intact;
    }
    let why = format!(
        "{} should hold position {} at offset {last} and ends at offset {}; it is intact up to position {after}",
        end.topic, noted.expected, end.high
    );
    Verdict::Lost { after, why }
}

/// An event the log does not have that follows on from the one before it, as only a relay writes it: Postgres has been set
/// back. A forged event, which anybody may write, follows on from nothing and stops nobody.
fn unknown_successor(end: &End, is_known: impl Fn(&Place) -> bool) -> Option<&Place> {
    end.tail
        .windows(2)
        .find(|pair| pair[1].previous == Some(pair[0].position) && !is_known(&pair[1]))
        .map(|pair| &pair[1])
}

/// Last position that is there with everything before it. On mirrored topics, which name no predecessor, nothing can be
/// said, so all is published again; their readers go by event id.
fn intact(end: &End, is_known: impl Fn(&Place) -> bool) -> Position {
    let begins_at_the_beginning = end.low > 0 || end.first.as_ref().is_some_and(|first| first.previous == Some(0));
    if !begins_at_the_beginning {
        return 0;
    }
    let mut own = end.tail.iter().filter(|place| place.previous.is_some() && is_known(place));
    let Some(first) = own.next() else {
        return 0;
    };
    // A record of an older owner may stand among them: what does not follow on is not counted.
    own.fold(first.position, |last, place| {
        let follows = place.previous.is_some_and(|previous| previous <= last);
        if follows { last.max(place.position) } else { last }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: i64, position: Position, previous: Position) -> Place {
        Place { offset, position, previous: Some(previous), stream_id: format!("order:{position}"), version: 1 }
    }

    /// A topic of ours with a record a position, from `low` to `high`, of which the last `tail` were read.
    fn topic(low: i64, high: i64, tail: i64) -> End {
        let at = |offset: i64| place(offset, offset + 1, offset);
        End {
            topic: "order.events".to_owned(),
            low,
            high,
            first: (low < high).then(|| at(low)),
            tail: ((high - tail).max(low)..high).map(at).collect(),
        }
    }

    fn judged(next_offset: i64, expected: Position, end: &End) -> Verdict {
        judge(&Noted { next_offset, position: expected, expected }, end, |_| true)
    }

    fn after(verdict: &Verdict) -> Option<Position> {
        match verdict {
            Verdict::Lost { after, .. } => Some(*after),
            Verdict::Intact | Verdict::Ahead { .. } => None,
        }
    }

    #[test]
    fn a_topic_that_ends_where_it_should_is_intact_and_so_is_one_that_has_more() {
        assert_eq!(judged(100, 100, &topic(0, 100, 1)), Verdict::Intact);
        assert_eq!(judged(100, 100, &topic(0, 105, 6)), Verdict::Intact);
    }

    #[test]
    fn a_topic_of_which_more_was_acknowledged_than_the_relay_had_passed_is_intact() {
        let ahead = Noted { next_offset: 100, position: 100, expected: 90 };
        assert_eq!(judge(&ahead, &topic(0, 100, 1), |_| true), Verdict::Intact);
        let published_once_more = {
            let mut end = topic(0, 100, 1);
            end.tail.push(place(100, 91, 90));
            end.high = 101;
            end
        };
        assert_eq!(judge(&ahead, &published_once_more, |_| true), Verdict::Intact);
    }

    #[test]
    fn a_note_of_less_than_the_relay_has_passed_tells_of_a_loss() {
        let behind = Noted { next_offset: 90, position: 90, expected: 100 };
        assert_eq!(after(&judge(&behind, &topic(0, 90, 1), |_| true)), Some(90));
    }

    #[test]
    fn an_empty_topic_where_nothing_was_published_is_intact() {
        assert_eq!(judged(0, 0, &topic(0, 0, 0)), Verdict::Intact);
    }

    #[test]
    fn a_wiped_topic_has_lost_everything() {
        assert_eq!(after(&judged(100, 100, &topic(0, 0, 0))), Some(0));
    }

    #[test]
    fn a_topic_cut_at_its_end_is_intact_up_to_its_last_record() {
        assert_eq!(after(&judged(100, 100, &topic(0, 90, 50))), Some(90));
    }

    #[test]
    fn a_topic_made_again_that_only_has_what_came_later_has_lost_everything() {
        let late = place(0, 101, 100);
        let end = End { topic: "t".into(), low: 0, high: 1, first: Some(late.clone()), tail: vec![late] };
        assert_eq!(after(&judged(100, 100, &end)), Some(0));
    }

    #[test]
    fn a_topic_made_again_that_has_grown_beyond_the_old_place_is_found_by_its_content() {
        let records: Vec<Place> = (0..120).map(|offset| place(offset, offset + 31, offset + 30)).collect();
        let end =
            End { topic: "t".into(), low: 0, high: 120, first: records.first().cloned(), tail: records[99..].into() };
        assert_eq!(after(&judged(100, 100, &end)), Some(0));
    }

    #[test]
    fn a_topic_published_again_by_whoever_died_before_noting_it_is_intact() {
        assert_eq!(judged(100, 60, &topic(0, 60, 60)), Verdict::Intact);
        assert_eq!(after(&judged(100, 100, &topic(0, 60, 60))), Some(60), "or as far as it came");
    }

    #[test]
    fn a_late_record_of_an_older_owner_does_not_hide_what_is_missing() {
        let mut end = topic(0, 50, 50);
        end.tail.push(place(50, 101, 100));
        end.high = 51;
        assert_eq!(after(&judged(100, 100, &end)), Some(50));
    }

    #[test]
    fn what_retention_removed_is_no_loss() {
        assert_eq!(judged(100, 100, &topic(100, 100, 0)), Verdict::Intact);
        assert_eq!(judged(100, 100, &topic(105, 110, 5)), Verdict::Intact);
    }

    #[test]
    fn events_that_the_log_does_not_have_are_no_loss_but_a_reason_to_stop() {
        let set_back = |tail| {
            judge(&Noted { next_offset: 50, position: 50, expected: 50 }, &topic(0, 100, tail), |p| p.position <= 60)
        };
        for tail in [51, 20] {
            assert!(matches!(set_back(tail), Verdict::Ahead { .. }), "{tail} read");
        }
    }

    #[test]
    fn a_forged_event_far_ahead_stops_nobody() {
        let mut end = topic(0, 100, 1);
        end.tail.push(place(100, 999_999, 0));
        end.high = 101;
        let verdict =
            judge(&Noted { next_offset: 100, position: 100, expected: 100 }, &end, |place| place.position < 1_000);
        assert_eq!(verdict, Verdict::Intact);
    }

    #[test]
    fn a_foreign_record_at_the_end_is_not_taken_for_the_last_one() {
        let mut end = topic(0, 90, 50);
        end.tail.push(place(90, 100, 0));
        end.high = 91;
        let verdict =
            judge(&Noted { next_offset: 100, position: 100, expected: 100 }, &end, |place| place.position < 100);
        assert_eq!(after(&verdict), Some(90));
    }

    #[test]
    fn a_mirrored_topic_that_has_lost_something_is_published_again_as_a_whole() {
        let mut end = topic(0, 90, 50);
        end.first = end.first.map(|first| Place { previous: None, ..first });
        end.tail.iter_mut().for_each(|place| place.previous = None);
        assert_eq!(after(&judged(100, 100, &end)), Some(0));
    }
}
