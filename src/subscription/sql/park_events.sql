-- $1 subscription, $2 stream, $3 version, $4 event, $5 source, $6 partition, $7 offset, $8 time, $9 key, $10 payload,
-- $11 header names, $12 header values. Queues one event behind its stream.
with queued as (
    insert into parked_event (subscription, stream_id, version, event_id, source, partition, source_offset, source_time,
        record_key, payload, header_names, header_values)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    returning 1
)
update parked_stream set depth = depth + (select count(*) from queued) where subscription = $1 and stream_id = $2
