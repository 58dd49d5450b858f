-- $1 subscription, $2 stream. The row goes with the last event; answers how many wait.
with released as (
    update parked_stream
    set letter_id = null, retries = 0, due_at = clock_timestamp(), runs_as = null, runs_until = null
    where subscription = $1 and stream_id = $2 and depth > 0
    returning depth
), gone as (
    delete from parked_stream where subscription = $1 and stream_id = $2 and depth = 0
)
select depth from released
