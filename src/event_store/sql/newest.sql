-- $1 partitions, $2 of each the position before which to read, $3 only this type or null, $4 only streams that begin so or
-- null, $5 most rows of each, $6 how many positions of each are looked at.
select l.partition, l.position, l.append_id, l.stream_id, l.version, l.partition_key, l.event_type, l.schema_version,
    l.payload, l.meta, l.recorded_at
from unnest($1::smallint[], $2::bigint[]) as p(partition, before)
cross join lateral (
    select * from log
    where log.partition = p.partition and log.position < p.before and log.position >= p.before - $6
        and ($3::text is null or log.event_type = $3)
        and ($4::text is null or starts_with(log.stream_id, $4))
    order by log.position desc
    limit $5
) l
