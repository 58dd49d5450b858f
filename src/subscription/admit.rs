//! What a delivered batch is worth, before any transaction: next, known already, foreign, or after a hole.
//!
//! The position is the truth; the Kafka offset only says where to look. `position <= last` is a duplicate, exactly and
//! for ever; `previous <= last < position` is next; `previous > last` is a hole, filled from the log.

use std::sync::Arc;

use sqlx::PgPool;
use uuid::Uuid;

use super::Lane;
use super::checkpoint;
use super::feed::{Batch, Record};
use crate::contracts::envelope::{self, Envelope, Malformed};
use crate::contracts::{Meta, Position, RecordedEvent, topics};
use crate::event_store;
use crate::faults::{self, Defect};

/// An event to be applied.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The event.
    pub event: Arc<RecordedEvent>,
    /// Its id.
    pub event_id: Uuid,
    /// The record it came in, its value left out: `event.payload` is the value. None for events of the log.
    pub record: Option<Arc<Record>>,
}

impl Delivered {
    /// The record it came in, whole, and where from; for an event of the log what the relay would have published.
    pub(super) fn as_record(&self, lane: &Lane) -> (String, Record) {
        let value = Some(self.event.payload.clone().into_bytes());
        match self.record.as_deref() {
            Some(record) => (lane.source.clone(), Record { value, ..record.clone() }),
            None => {
                let headers = envelope::headers(&self.event, None);
                let headers = headers.into_iter().map(|(name, text)| (name.to_owned(), Some(text.into_bytes())));
                let record = Record {
                    offset: self.event.position,
                    key: Some(self.event.partition_key.clone().into_bytes()),
                    value,
                    headers: headers.collect(),
                    time: None,
                };
                (checkpoint::LOG.to_owned(), record)
            }
        }
    }
}

/// An event known already that came again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Which event.
    pub event_id: Uuid,
    /// Where it came from now.
    pub offset: i64,
    /// It comes again because an operator moved the place back.
    pub is_sought: bool,
}

/// One thing to be done about a batch.
#[derive(Clone, Debug)]
pub enum Entry {
    /// To be applied.
    Event(Box<Delivered>),
    /// A record the log does not know: a dead letter, and no position moves.
    Foreign {
        /// Its bytes.
        record: Box<Record>,
        /// What is wrong with it.
        reason: Foreign,
    },
}

/// A record with what it holds: an event's envelope and payload, or the reason why it is none.
type Read = (Record, Result<(Envelope, String), Foreign>);

/// Why a record is not an event of the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// Its headers are not an event's.
    #[error("the record is not an event: {0}")]
    Headers(#[from] Malformed),
    /// Its value is not text.
    #[error("the record's value is {0}")]
    Value(&'static str),
    /// The log has another event, or none, at that place.
    #[error("the log has no version {version} of {stream_id} at position {position}")]
    Unknown {
        /// Its stream.
        stream_id: String,
        /// Its version.
        version: i32,
        /// Its position.
        position: Position,
    },
}

/// Most events a hole is filled with at once.
const FILL: usize = 500;

/// A batch as it is to be worked through.
#[derive(Debug, Default)]
pub struct Admitted {
    /// What is to be done, in order; each with the offset after it and the last position once it is done.
    pub entries: Vec<(Entry, i64, Position)>,
    /// Where to read on once all of it is done.
    pub next_offset: i64,
    /// Last position once all of it is done.
    pub position: Position,
    /// Events known already.
    pub repeats: Vec<Repeat>,
    /// Events that were missing in the topic and came from the log.
    pub filled: u64,
    /// Records behind a hole that is not filled yet: to be admitted again once the rest is done.
    pub rest: Vec<Record>,
    /// Offsets begin anew: the topic was made again.
    pub is_made_again: bool,
}

/// Why a batch cannot be admitted.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The topic lacks events and so does the log: the partition must stop.
    #[error(
        "hole in {topic} partition {partition}: after position {last} comes {found}, and the log has nothing in between"
    )]
    Hole {
        /// The topic.
        topic: String,
        /// Its partition.
        partition: i16,
        /// Last position applied.
        last: Position,
        /// Position of the record that follows.
        found: Position,
    },
    /// Postgres did not answer.
    #[error("the log could not be asked")]
    Postgres(#[from] sqlx::Error),
}

/// How far a partition has been followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where to read on.
    pub next_offset: i64,
    /// Last position applied.
    pub position: Position,
    /// Known events before this offset come again because an operator moved the place back.
    pub sought_until: i64,
}

/// Judges a batch against the last position applied.
///
/// # Errors
/// [`AdmitError`].
pub async fn admit(batch: Batch, lane: &Lane, at: Place, db: &PgPool) -> Result<Admitted, AdmitError> {
    let mut admitted = Admitted { next_offset: at.next_offset, position: at.position, ..Admitted::default() };
    match batch {
        Batch::Events(events) => admit_events(events, &mut admitted),
        Batch::Records(records) => {
            admit_records(records, &lane.source, lane.partition, at.sought_until, db, &mut admitted).await?;
        }
    }
    Ok(admitted)
}

fn admit_events(events: Vec<Arc<RecordedEvent>>, admitted: &mut Admitted) {
    for event in events {
        let position = event.position;
        admitted.push_event(Delivered { event_id: event.id(), event, record: None }, position, position);
    }
}

async fn admit_records(
    records: Vec<Record>,
    topic: &str,
    partition: i16,
    sought_until: i64,
    db: &PgPool,
    admitted: &mut Admitted,
) -> Result<(), AdmitError> {
    let mut read: Vec<Read> = records.into_iter().map(|record| read_record(record, topic)).collect();
    mark_unknown(&mut read, partition, admitted.position, db).await?;
    admitted.is_made_again = read.first().is_some_and(|(record, _)| record.offset < admitted.next_offset);
    let mut read = read.into_iter();
    while let Some((record, outcome)) = read.next() {
        let next_offset = record.offset + 1;
        match outcome {
            Err(reason) => {
                let entry = Entry::Foreign { record: Box::new(record), reason };
                admitted.entries.push((entry, next_offset, admitted.position));
            }
            Ok((envelope, _)) if is_known(&envelope, topic, admitted.position) => {
                let is_sought = record.offset < sought_until;
                admitted.repeats.push(Repeat { event_id: envelope.event_id, offset: record.offset, is_sought });
            }
            Ok((envelope, payload)) => {
                if !fill_hole(&envelope, &record, topic, partition, db, admitted).await? {
                    let unread = std::iter::once((record, Ok((envelope, payload)))).chain(read);
                    admitted.rest = unread.map(untouched).collect();
                    return Ok(());
                }
                let position = if is_ordered(topic) { envelope.position } else { admitted.position };
                let delivered = delivered(envelope, payload, record, partition);
                admitted.push_event(delivered, next_offset, position);
            }
        }
        admitted.next_offset = next_offset;
    }
    Ok(())
}

fn is_known(envelope: &Envelope, topic: &str, last: Position) -> bool {
    envelope.position <= last && is_ordered(topic) && !faults::planted(Defect::DedupOff)
}

/// Topics of whole streams are ordered by position; mirrored ones hold what they hold.
fn is_ordered(topic: &str) -> bool {
    !topics::streams_of(topic).is_empty()
}

fn read_record(mut record: Record, topic: &str) -> Read {
    let outcome = Envelope::read(|name| record.header(name)).map_err(Foreign::from).and_then(|envelope| {
        if is_ordered(topic) && envelope.previous.is_none() {
            return Err(Malformed::Missing(crate::contracts::envelope::PREVIOUS).into());
        }
        let value = record.value.as_deref().ok_or(Foreign::Value("absent"))?;
        let text = std::str::from_utf8(value).map_err(|_| Foreign::Value("not UTF-8 text"))?;
        Ok((envelope, text.to_owned()))
    });
    if outcome.is_ok() {
        record.value = None;
    }
    (record, outcome)
}

/// A record may be well formed and still not ours; the log alone knows. Duplicates need no asking.
async fn mark_unknown(read: &mut [Read], partition: i16, last: Position, db: &PgPool) -> sqlx::Result<()> {
    let asked: Vec<usize> = (0..read.len())
        .filter(|index| read[*index].1.as_ref().is_ok_and(|(envelope, _)| envelope.position > last))
        .collect();
    if asked.is_empty() {
        return Ok(());
    }
    let places: Vec<(Position, &str, i32)> = asked
        .iter()
        .filter_map(|index| read[*index].1.as_ref().ok())
        .map(|(envelope, _)| (envelope.position, envelope.stream_id.as_str(), envelope.version))
        .collect();
    let unknown = event_store::unknown(&mut *db.acquire().await?, partition, &places).await?;
    for place in unknown {
        let (record, outcome) = &mut read[asked[place]];
        if let Ok((envelope, payload)) = outcome {
            record.value = Some(std::mem::take(payload).into_bytes());
            *outcome = Err(Foreign::Unknown {
                stream_id: envelope.stream_id.clone(),
                version: envelope.version,
                position: envelope.position,
            });
        }
    }
    Ok(())
}

/// The record as it came.
fn untouched((mut record, outcome): Read) -> Record {
    if let Ok((_, payload)) = outcome {
        record.value = Some(payload.into_bytes());
    }
    record
}

/// Events the relay has published to a topic and that never came, although nothing else does either: they come from the
/// log. So a subscription goes on whose next records Kafka no longer keeps.
///
/// # Errors
/// [`AdmitError::Postgres`].
pub async fn missing(
    lane: &Lane,
    next_offset: i64,
    last: Position,
    db: &PgPool,
) -> Result<Option<Admitted>, AdmitError> {
    let prefixes = topics::streams_of(&lane.source);
    let published = checkpoint::position(db, checkpoint::RELAY, &lane.source, lane.partition).await?.unwrap_or(0);
    if prefixes.is_empty() || published <= last {
        return Ok(None);
    }
    let events = event_store::between(db, lane.partition, last, published + 1, prefixes, FILL).await?;
    let mut admitted = Admitted { next_offset, position: last, ..Admitted::default() };
    admitted.fill(events, next_offset);
    Ok((admitted.filled > 0).then_some(admitted))
}

/// Positions the topic should have held between the last one applied and this record's predecessor come from the log, so
/// many at a time; `false` if there are more.
async fn fill_hole(
    envelope: &Envelope,
    record: &Record,
    topic: &str,
    partition: i16,
    db: &PgPool,
    admitted: &mut Admitted,
) -> Result<bool, AdmitError> {
    let last = admitted.position;
    if envelope.previous.is_none_or(|previous| previous <= last) || !is_ordered(topic) {
        return Ok(true);
    }
    let prefixes = topics::streams_of(topic);
    let missing = event_store::between(db, partition, last, envelope.position, prefixes, FILL).await?;
    let is_whole = missing.len() < FILL;
    if is_whole && missing.last().map(|event| event.position) != envelope.previous {
        return Err(AdmitError::Hole { topic: topic.to_owned(), partition, last, found: envelope.position });
    }
    // The offset stays before the record that revealed the hole, until that record itself is done.
    admitted.fill(missing, record.offset);
    Ok(is_whole)
}

/// An event as it was delivered, from the record that was kept of it.
///
/// # Errors
/// [`Foreign`]; what was kept was an event, so this cannot be.
pub(super) fn parked(record: Record, source: &str, partition: i16) -> Result<Delivered, Foreign> {
    let of_log = source == checkpoint::LOG;
    let (record, outcome) = read_record(record, if of_log { "" } else { source });
    let (envelope, payload) = outcome?;
    let delivered = delivered(envelope, payload, record, partition);
    Ok(if of_log { Delivered { record: None, ..delivered } } else { delivered })
}

fn delivered(envelope: Envelope, payload: String, record: Record, partition: i16) -> Delivered {
    let key = record.key.as_deref().map(|key| String::from_utf8_lossy(key).into_owned()).unwrap_or_default();
    let meta = Meta { correlation_id: envelope.correlation_id, traceparent: envelope.traceparent, ..Meta::default() };
    Delivered {
        event_id: envelope.event_id,
        event: Arc::new(RecordedEvent {
            partition,
            position: envelope.position,
            append_id: Uuid::nil(),
            stream_id: envelope.stream_id,
            version: envelope.version,
            partition_key: key,
            event_type: envelope.event_type,
            schema_version: envelope.schema_version,
            payload,
            meta: meta.to_json(),
            recorded_at: envelope.recorded_at,
        }),
        record: Some(Arc::new(record)),
    }
}

impl Admitted {
    fn fill(&mut self, events: Vec<RecordedEvent>, next_offset: i64) {
        for event in events {
            let position = event.position;
            self.filled += 1;
            let delivered = Delivered { event_id: event.id(), event: Arc::new(event), record: None };
            self.push_event(delivered, next_offset, position);
        }
    }

    fn push_event(&mut self, delivered: Delivered, next_offset: i64, position: Position) {
        self.entries.push((Entry::Event(Box::new(delivered)), next_offset, position));
        self.next_offset = next_offset;
        self.position = position;
    }
}
