-- $1 subscription, $2 streams. In stream order, as everybody locks them.
select stream_id, letter_id, depth, runs_as
from parked_stream
where subscription = $1 and stream_id = any($2::text[])
order by stream_id
for update
