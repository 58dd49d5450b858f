-- $1 stream_id, $2 version after which to read, $3 most rows.
select partition, position, append_id, stream_id, version, partition_key, event_type, schema_version, payload, meta,
    recorded_at
from log
where stream_id = $1 and version > $2
order by version
limit $3
