-- $1 consumer, $2 fingerprint, $3 event type, $4 stream, $5 since, $6 until, $7 state: null does not narrow;
-- $8 most rows.
select letter.id as letter_id, letter.subscription as consumer, letter.state, letter.fingerprint, letter.event_type,
    letter.stream_id as stream, letter.version, left(letter.error, 160) as error, letter.replays,
    coalesce(parked.depth, 0) as waiting, letter.last_failed_at
from dead_letter letter
left join parked_stream parked on parked.subscription = letter.subscription and parked.stream_id = letter.stream_id
    and parked.letter_id = letter.id
where ($1::text is null or letter.subscription = $1)
    and ($2::text is null or letter.fingerprint = $2)
    and ($3::text is null or letter.event_type = $3)
    and ($4::text is null or letter.stream_id = $4)
    and ($5::timestamptz is null or letter.last_failed_at >= $5)
    and ($6::timestamptz is null or letter.last_failed_at < $6)
    and ($7::text is null or letter.state = $7)
order by letter.last_failed_at desc, letter.id desc
limit $8
