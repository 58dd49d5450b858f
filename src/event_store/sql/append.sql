-- $1 partitions, $2 events of each; then one element a row: $3 partition, $4 ordinal in its partition from 1,
-- $5 append_id, $6 stream_id, $7 version, $8 partition_key, $9 event_type, $10 schema_version, $11 payload, $12 meta.
-- The ordered lock comes first: an update alone promises no lock order and deadlocks.
with locked as materialized (
    select partition from log_head where partition = any($1::smallint[]) order by partition for update
), head as (
    update log_head set position = log_head.position + asked.events
    from unnest($1::smallint[], $2::bigint[]) as asked(partition, events), (select count(*) from locked) as held
    where log_head.partition = asked.partition
    returning log_head.partition, log_head.position - asked.events as base, clock_timestamp() as recorded_at
), inserted as (
    insert into log (partition, position, append_id, stream_id, version, partition_key, event_type, schema_version,
        payload, meta, recorded_at)
    select row.partition, head.base + row.ordinal, row.append_id, row.stream_id, row.version, row.partition_key,
        row.event_type, row.schema_version, row.payload, row.meta, head.recorded_at
    from unnest($3::smallint[], $4::bigint[], $5::uuid[], $6::text[], $7::integer[], $8::text[], $9::text[],
            $10::smallint[], $11::text[], $12::text[])
        as row(partition, ordinal, append_id, stream_id, version, partition_key, event_type, schema_version, payload,
            meta)
    join head on head.partition = row.partition
    order by 1, 2
    returning 1
)
-- In a consumer's transaction the heads stay locked until its COMMIT: a process that stalls there holds up everyone's
-- acceptance, for no longer than this.
select head.partition, head.base, head.recorded_at, (select count(*) from inserted) as inserted,
    set_config('idle_in_transaction_session_timeout', '500ms', true)
from head
