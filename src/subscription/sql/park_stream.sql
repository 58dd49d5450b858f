-- $1 subscription, $2 stream, $3 source, $4 partition, $5 letter or null, $6 class, $7 error, $8 seconds until it is tried
-- again, or null behind a letter.
insert into parked_stream (subscription, stream_id, source, partition, letter_id, class, error, due_at, depth)
values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(secs => $8), 0)
