-- $1 subscription, $2 stream, $3 who had it.
update parked_stream set runs_as = null, runs_until = null where subscription = $1 and stream_id = $2 and runs_as = $3
