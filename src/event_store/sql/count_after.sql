-- $1 partitions, $2 positions, $3 stream prefixes, $4 most rows looked at behind each place. Number (from 1) of each
-- place, how many of those rows are of those streams, when the first of them was appended, and how many were looked at.
select asked.no, ahead.events, ahead.oldest, ahead.looked_at
from unnest($1::smallint[], $2::bigint[]) with ordinality as asked(partition, position, no)
cross join lateral (
    select count(*) filter (where is_theirs) as events, min(recorded_at) filter (where is_theirs) as oldest,
        count(*) as looked_at
    from (
        select split_part(log.stream_id, ':', 1) = any($3::text[]) as is_theirs, log.recorded_at
        from log
        where log.partition = asked.partition and log.position > asked.position
        order by log.position
        limit $4
    ) as next
) as ahead
order by asked.no
