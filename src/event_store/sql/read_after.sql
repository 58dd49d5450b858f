-- $1 partition, $2 position after which to read, $3 most rows.
select partition, position, append_id, stream_id, version, partition_key, event_type, schema_version, payload, meta,
    recorded_at
from log
where partition = $1 and position > $2
order by position
limit $3
