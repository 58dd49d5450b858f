-- $1 consumer, $2 fingerprint, $3 event type, $4 stream, $5 since, $6 until, $7 state: null does not narrow;
-- $8 the letter after which to begin, or null, $9 most rows. Ends, too, behind 8 MiB, and gives one letter at least.
with page as (
    select letter.id, letter.subscription, letter.event_id, letter.source, letter.partition, letter.source_offset,
    letter.source_time, letter.stream_id, letter.version, letter.position, letter.event_type, letter.record_key,
    letter.payload, letter.header_names, letter.header_values, letter.class, letter.stage, letter.error_type, letter.error,
    letter.attempts, letter.first_failed_at, letter.last_failed_at, letter.build, letter.fingerprint, letter.origin,
    letter.replays, letter.history, letter.outcome_no, letter.state, letter.patch, letter.ended_at, letter.ended_by,
    letter.ended_why, letter.published,
        sum(coalesce(octet_length(letter.payload), 0)) over (order by letter.id) as bytes,
        row_number() over (order by letter.id) as number
    from (
        select * from dead_letter letter
        where ($1::text is null or letter.subscription = $1)
            and ($2::text is null or letter.fingerprint = $2)
            and ($3::text is null or letter.event_type = $3)
            and ($4::text is null or letter.stream_id = $4)
            and ($5::timestamptz is null or letter.last_failed_at >= $5)
            and ($6::timestamptz is null or letter.last_failed_at < $6)
            and ($7::text is null or letter.state = $7)
            and ($8::uuid is null or letter.id > $8)
        order by letter.id
        limit $9
    ) letter
)
select page.*, coalesce(parked.depth, 0) as waiting
from page
left join parked_stream parked on parked.subscription = page.subscription and parked.stream_id = page.stream_id
    and parked.letter_id = page.id
where page.bytes <= 8 * 1024 * 1024 or page.number = 1
order by page.id
