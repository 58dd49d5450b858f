//! A batch of appends as the arrays its statements are bound to: one array a column, one element an event.

use uuid::Uuid;

use super::Append;

/// What each event contributes, one element an event.
pub(super) struct Rows<'a> {
    pub(super) appends: Vec<i32>,
    pub(super) versions: Vec<i32>,
    pub(super) partition_keys: Vec<&'a str>,
    pub(super) event_types: Vec<&'static str>,
    pub(super) schema_versions: Vec<i16>,
    pub(super) payloads: Vec<&'a str>,
    pub(super) metas: Vec<&'a str>,
}

impl<'a> Rows<'a> {
    pub(super) fn of(appends: &'a [Append]) -> Self {
        let n = appends.iter().map(|append| append.events.len()).sum();
        let mut rows = Self {
            appends: Vec::with_capacity(n),
            versions: Vec::with_capacity(n),
            partition_keys: Vec::with_capacity(n),
            event_types: Vec::with_capacity(n),
            schema_versions: Vec::with_capacity(n),
            payloads: Vec::with_capacity(n),
            metas: Vec::with_capacity(n),
        };
        for (no, append) in (1..).zip(appends) {
            for (n, event) in (1..).zip(&append.events) {
                rows.appends.push(no);
                rows.versions.push(append.expected_version + n);
                rows.partition_keys.push(&append.partition_key);
                rows.event_types.push(event.event_type);
                rows.schema_versions.push(i16::try_from(event.schema_version).expect("schema versions are small"));
                rows.payloads.push(&event.payload);
                rows.metas.push(&append.meta);
            }
        }
        rows
    }
}

/// A batch as the arrays of the fast statement, each row numbered within its partition.
pub(super) struct Columns<'a> {
    pub(super) partitions: Vec<i16>,
    pub(super) events: Vec<i64>,
    /// Partition of each append, and how far behind that partition's head its first event will be.
    pub(super) first_of: Vec<(i16, i64)>,
    pub(super) row_partitions: Vec<i16>,
    pub(super) ordinals: Vec<i64>,
    pub(super) append_ids: Vec<Uuid>,
    pub(super) streams: Vec<&'a str>,
    pub(super) rows: Rows<'a>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(appends: &'a [Append]) -> Self {
        let rows = Rows::of(appends);
        let n = rows.versions.len();
        let mut columns = Self {
            partitions: Vec::new(),
            events: Vec::new(),
            first_of: Vec::with_capacity(appends.len()),
            row_partitions: Vec::with_capacity(n),
            ordinals: Vec::with_capacity(n),
            append_ids: Vec::with_capacity(n),
            streams: Vec::with_capacity(n),
            rows,
        };
        for append in appends {
            let slot = columns.slot(append.partition);
            columns.first_of.push((append.partition, columns.events[slot] + 1));
            for _ in &append.events {
                columns.events[slot] += 1;
                columns.row_partitions.push(append.partition);
                columns.ordinals.push(columns.events[slot]);
                columns.append_ids.push(append.append_id);
                columns.streams.push(&append.stream_id);
            }
        }
        columns
    }

    fn slot(&mut self, partition: i16) -> usize {
        self.partitions.iter().position(|known| *known == partition).unwrap_or_else(|| {
            self.partitions.push(partition);
            self.events.push(0);
            self.partitions.len() - 1
        })
    }
}
