use uuid::Uuid;

use super::*;
use crate::checker::checks::violated;
use crate::checker::row::fabricated::{notification, order};

/// Two orders and, between their events, one that belongs to another topic (position 3).
fn log() -> Vec<Row> {
    vec![
        order(1, 1, 1, "order.created"),
        order(2, 2, 1, "order.created"),
        notification(3, 1, "order-created", 1),
        order(4, 1, 2, "order.confirmed"),
    ]
    .into_iter()
    .filter(|row| row.stream_id.starts_with("order:"))
    .collect()
}

fn published(log: &[Row]) -> Vec<Record> {
    let mut prev = 0;
    log.iter()
        .map(|row| {
            let key = row.partition_key.as_bytes();
            let content = Record::content(key, &row.stream_id, row.version, &row.event_type, row.payload.as_bytes());
            let position = row.position;
            Record {
                position,
                id: Uuid::from_u128(position as u128),
                prev: Some(std::mem::replace(&mut prev, position)),
                content,
                event_type: row.event_type.clone(),
            }
        })
        .collect()
}

fn audit(records: &[Record], ordered: bool) -> TopicFindings {
    let expected: Vec<Expected> = log().iter().map(Expected::of).collect();
    let mut findings = TopicFindings::default();
    let mut audit = TopicAudit::new("order.events", 0, &expected, ordered, &mut findings);
    for (offset, record) in (0..).zip(records) {
        audit.record(offset, Ok(record));
    }
    audit.end();
    findings
}

fn violated_by(records: &[Record]) -> Vec<&'static str> {
    violated(&audit(records, true).all(false))
}

#[test]
fn a_topic_that_mirrors_the_log_is_right() {
    assert_eq!(violated_by(&published(&log())), [""; 0]);
}

#[test]
fn a_stretch_published_again_is_counted_and_right() {
    let records = published(&log());
    let again = [&records[..2], &records[..]].concat();
    let findings = audit(&again, true);
    assert_eq!(findings.duplicates, 2);
    assert_eq!(violated(&findings.all(false)), [""; 0]);
}

#[test]
fn a_missing_last_event_is_found() {
    assert_eq!(violated_by(&published(&log())[..2]), [COMPLETE]);
}

#[test]
fn a_missing_middle_event_breaks_the_chain() {
    let mut records = published(&log());
    records.remove(1);
    assert_eq!(violated_by(&records), [COMPLETE, CHAIN]);
}

#[test]
fn a_later_version_published_first_is_found() {
    let mut records = published(&log());
    records.swap(0, 2);
    assert_eq!(violated_by(&records), [IN_ORDER, CHAIN]);
}

#[test]
fn a_prev_that_names_another_event_is_found() {
    let mut records = published(&log());
    records[2].prev = Some(1);
    assert_eq!(violated_by(&records), [CHAIN]);
    records[2].prev = None;
    assert_eq!(violated_by(&records), [CHAIN]);
}

#[test]
fn another_payload_or_key_is_found_in_a_repeat_too() {
    let mut records = published(&log());
    let mut repeat = records[0].clone();
    repeat.content = Digest::of("something else");
    records.push(repeat);
    assert_eq!(violated_by(&records), [CONTENT]);
}

#[test]
fn a_position_of_another_topic_and_an_unreadable_record_are_foreign() {
    let mut records = published(&log());
    let mut foreign = records[0].clone();
    foreign.position = 3;
    records.push(foreign);
    assert_eq!(violated_by(&records), [FOREIGN]);
    assert_eq!(violated(&audit(&records, true).all(true)), [""; 0]);

    let mut findings = TopicFindings::default();
    TopicAudit::new("order.events", 0, &[], true, &mut findings).record(0, Err("no ce_id".into()));
    assert_eq!(violated(&findings.all(false)), [FOREIGN]);
}

#[test]
fn a_changed_or_shared_id_is_found() {
    let mut records = published(&log());
    let mut repeat = records[0].clone();
    repeat.id = Uuid::from_u128(99);
    records.push(repeat);
    assert_eq!(violated_by(&records), [ONE_ID]);

    let mut records = published(&log());
    records[1].id = records[0].id;
    assert_eq!(violated_by(&records), [ONE_ID]);
}

#[test]
fn mirrored_topics_promise_no_order() {
    let mut records = published(&log());
    records.swap(0, 2);
    records.iter_mut().for_each(|record| record.prev = None);
    assert_eq!(violated(&audit(&records, false).all(false)), [""; 0]);
    assert_eq!(violated(&audit(&records[..1], false).all(false)), [COMPLETE]);
}
