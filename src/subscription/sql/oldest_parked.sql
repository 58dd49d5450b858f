-- $1 subscription. Stream and version of the first event of the stream that was set aside first.
select head.stream_id, head.version
from (
    select stream_id from parked_stream where subscription = $1 and depth > 0 order by parked_at, stream_id limit 1
) as first
cross join lateral (
    select stream_id, version
    from parked_event
    where subscription = $1 and stream_id = first.stream_id
    order by version
    limit 1
) as head
