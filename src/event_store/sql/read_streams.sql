-- $1 stream ids.
select partition, position, append_id, stream_id, version, partition_key, event_type, schema_version, payload, meta,
    recorded_at
from log
where stream_id = any($1::text[])
order by stream_id, version
