-- $1 subscription, $2 stream, $3 who had it, $4 class, $5 error, $6 seconds until it is tried again.
update parked_stream
set retries = case when $4 in ('contended', 'conflict') then retries when class = $4 then retries + 1 else 1 end, class = $4, error = $5, due_at = clock_timestamp() + make_interval(secs => $6), runs_as = null,
    runs_until = null
where subscription = $1 and stream_id = $2 and runs_as = $3
