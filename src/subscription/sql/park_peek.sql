-- $1 subscription, $2 streams.
select stream_id from parked_stream where subscription = $1 and stream_id = any($2::text[])
