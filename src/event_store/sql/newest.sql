-- $1 partition, $2 position before which to read, $3 only this type or null, $4 only streams that begin so or null, $5 most
-- rows, $6 how many positions are looked at.
select partition, position, append_id, stream_id, version, partition_key, event_type, schema_version, payload, meta,
    recorded_at
from log
where partition = $1 and position < $2 and position >= $2 - $6
    and ($3::text is null or event_type = $3)
    and ($4::text is null or starts_with(stream_id, $4))
order by position desc
limit $5
