-- $1 stream after which to look, $2 most streams. Streams in order with their first and last version and their events.
select stream_id, min(version) as first, max(version) as last, count(*) as events, count(distinct partition) as partitions
from log
where stream_id > $1
group by stream_id
order by stream_id
limit $2
