-- $1 subscription, $2 stream, $3 letter, $4 class, $5 error.
update parked_stream
set letter_id = $3, class = $4, error = $5, due_at = null, retries = 0, runs_as = null, runs_until = null
where subscription = $1 and stream_id = $2
