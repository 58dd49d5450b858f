-- $1 letters that have ended. A stream with followers is due now; one without is parked no longer. Answers how many
-- streams go on, and how many followers.
with behind as (
    select stream.subscription, stream.stream_id, stream.depth
    from dead_letter letter
    join parked_stream stream on stream.subscription = letter.subscription and stream.stream_id = letter.stream_id
        and stream.letter_id = letter.id
    where letter.id = any($1::uuid[])
), empty as (
    delete from parked_stream stream using behind
    where stream.subscription = behind.subscription and stream.stream_id = behind.stream_id and behind.depth = 0
), freed as (
    update parked_stream stream
    set letter_id = null, due_at = clock_timestamp(), retries = 0, runs_as = null, runs_until = null
    from behind
    where stream.subscription = behind.subscription and stream.stream_id = behind.stream_id and behind.depth > 0
    returning behind.depth
)
select count(*), coalesce(sum(depth), 0)::bigint from freed
