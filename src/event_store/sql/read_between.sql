-- $1 partition, $2 position after which to read, $3 position before which to end, $4 stream prefixes, $5 most rows.
select partition, position, append_id, stream_id, version, partition_key, event_type, schema_version, payload, meta,
    recorded_at
from log
where partition = $1 and position > $2 and position < $3 and split_part(stream_id, ':', 1) = any($4::text[])
order by position
limit $5
