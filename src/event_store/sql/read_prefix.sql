-- $1 beginning of stream ids, $2 the first text that no longer begins so, $3 most rows.
select partition, position, append_id, stream_id, version, partition_key, event_type, schema_version, payload, meta,
    recorded_at
from log
where stream_id >= $1 and stream_id < $2
order by stream_id, version
limit $3
