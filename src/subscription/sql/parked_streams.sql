-- $1 subscription, $2 only this stream or null, $3 most rows. Streams set aside, those due next first and those that wait
-- for an operator last; due_in_seconds is negative if the time has come.
select stream_id, source, partition, letter_id, class, error, retries, depth, parked_at,
    extract(epoch from due_at - clock_timestamp())::float8 as due_in_seconds
from parked_stream
where subscription = $1 and ($2::text is null or stream_id = $2)
order by due_at nulls last, stream_id
limit $3
