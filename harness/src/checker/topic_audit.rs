//! A topic partition held against the log: nothing missing, nothing foreign, in order, with an unbroken chain. Pure.

use std::collections::HashMap;

use super::finding::Finding;
use super::row::Row;
use crate::wire::digest::Digest;

pub const COMPLETE: &str = "every event of the log is in its topic";
pub const FOREIGN: &str = "nothing is in the topics that the log lacks";
pub const CONTENT: &str = "a record carries its event's key, stream, version, type and payload";
pub const ONE_ID: &str = "ce_id is one UUID for each event, the same in repeats";
pub const IN_ORDER: &str = "first occurrences are in version order per stream";
pub const CHAIN: &str = "ordo_prev names the event before, and it was seen";
pub const PARTITIONS: &str = "a topic has as many partitions as the log";

/// An event that its topic must hold, as small as can be: a partition's worth of these is kept at once.
#[derive(Clone, Debug)]
pub struct Expected {
    pub position: i64,
    version: i32,
    stream: Digest,
    content: Digest,
    event_type: Digest,
}

impl Expected {
    pub fn of(row: &Row) -> Self {
        let parts = (row.partition_key.as_bytes(), row.stream_id.as_str(), row.version, row.event_type.as_str());
        Self {
            position: row.position,
            version: row.version,
            stream: Digest::of(row.stream_id.as_str()),
            content: Digest::of(&(parts, row.payload.as_bytes())),
            event_type: Digest::of(row.event_type.as_str()),
        }
    }

    pub fn is_of_type(&self, event_type: &str) -> bool {
        self.event_type == Digest::of(event_type)
    }
}

/// A record as read from Kafka, its headers parsed.
#[derive(Clone, Debug)]
pub struct Record {
    pub position: i64,
    pub id: uuid::Uuid,
    /// Absent on mirrored topics.
    pub prev: Option<i64>,
    pub content: Digest,
    pub event_type: String,
}

impl Record {
    pub fn content(key: &[u8], stream_id: &str, version: i32, event_type: &str, payload: &[u8]) -> Digest {
        Digest::of(&((key, stream_id, version, event_type), payload))
    }
}

/// The findings, over all topics and partitions.
pub struct TopicFindings {
    pub partitions: Finding,
    complete: Finding,
    foreign: Finding,
    content: Finding,
    one_id: Finding,
    in_order: Finding,
    chain: Finding,
    pub duplicates: u64,
}

impl Default for TopicFindings {
    fn default() -> Self {
        Self {
            partitions: Finding::of(PARTITIONS),
            complete: Finding::of(COMPLETE),
            foreign: Finding::of(FOREIGN),
            content: Finding::of(CONTENT),
            one_id: Finding::of(ONE_ID),
            in_order: Finding::of(IN_ORDER),
            chain: Finding::of(CHAIN),
            duplicates: 0,
        }
    }
}

impl TopicFindings {
    /// With `foreign_allowed`, records that the log does not know are passed over (a test may have put them there).
    pub fn all(self, foreign_allowed: bool) -> Vec<Finding> {
        let mut all = vec![self.partitions, self.complete, self.content, self.one_id, self.in_order, self.chain];
        if !foreign_allowed {
            all.push(self.foreign);
        }
        all
    }
}

pub struct TopicAudit<'a> {
    topic: &'a str,
    partition: i16,
    /// In position order.
    expected: &'a [Expected],
    /// Mirrored topics promise completeness and content, not order.
    ordered: bool,
    ids: Vec<Option<uuid::Uuid>>,
    /// The event that an id stood for first.
    owners: HashMap<uuid::Uuid, usize>,
    versions: HashMap<Digest, i32>,
    last: i64,
    findings: &'a mut TopicFindings,
}

impl<'a> TopicAudit<'a> {
    pub fn new(
        topic: &'a str,
        partition: i16,
        expected: &'a [Expected],
        ordered: bool,
        findings: &'a mut TopicFindings,
    ) -> Self {
        let ids = vec![None; expected.len()];
        let (owners, versions) = (HashMap::new(), HashMap::new());
        Self { topic, partition, expected, ordered, ids, owners, versions, last: 0, findings }
    }

    /// `Err` is a record whose headers cannot be read, and why.
    pub fn record(&mut self, offset: i64, record: Result<&Record, String>) {
        let place = || format!("{}/{} offset {offset}", self.topic, self.partition);
        let record = match record {
            Ok(record) => record,
            Err(why) => {
                return self.findings.foreign.check(false, || format!("{}: {why}", place()));
            }
        };
        let name = || format!("{}, position {} {}", place(), record.position, record.event_type);
        let found = self.expected.binary_search_by_key(&record.position, |expected| expected.position);
        self.findings.foreign.check(found.is_ok(), name);
        let Ok(index) = found else { return };
        let expected = &self.expected[index];
        self.findings.content.check(record.content == expected.content, name);

        let owner = *self.owners.entry(record.id).or_insert(index);
        let first = self.ids[index].is_none();
        let id = *self.ids[index].get_or_insert(record.id);
        self.findings.one_id.check(owner == index && id == record.id, || format!("{} with id {}", name(), record.id));
        if !first {
            self.findings.duplicates += 1;
        }
        if !self.ordered {
            return;
        }
        if first {
            let version = self.versions.entry(expected.stream).or_insert(0);
            let before = std::mem::replace(version, expected.version.max(*version));
            self.findings.in_order.check(expected.version == before + 1, || {
                format!("{} is version {} after version {before}", name(), expected.version)
            });
        }
        let before = index.checked_sub(1).map_or(0, |before| self.expected[before].position);
        let last = self.last;
        self.findings.chain.check(record.prev == Some(before) && before <= last, || {
            format!("{} says {:?}, the log {before}, seen up to {last}", name(), record.prev)
        });
        self.last = last.max(record.position);
    }

    pub fn end(self) {
        for (expected, id) in self.expected.iter().zip(&self.ids) {
            self.findings.complete.check(id.is_some(), || {
                format!("{}/{} lacks position {}", self.topic, self.partition, expected.position)
            });
        }
    }
}

#[cfg(test)]
#[path = "topic_audit_tests.rs"]
mod tests;
