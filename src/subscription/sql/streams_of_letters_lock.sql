-- $1 letters. Their parked streams, locked in stream order.
select stream.stream_id
from dead_letter letter
join parked_stream stream on stream.subscription = letter.subscription and stream.stream_id = letter.stream_id
where letter.id = any($1::uuid[])
order by stream.subscription, stream.stream_id
for update of stream
