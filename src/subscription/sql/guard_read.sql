-- $1 subscription, $2 streams.
select stream_id, version from stream_seen where subscription = $1 and stream_id = any($2::text[])
