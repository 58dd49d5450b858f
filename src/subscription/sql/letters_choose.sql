-- $1 consumer, $2 fingerprint, $3 event type, $4 stream, $5 since, $6 until, $7 state, $8 ids: null does not narrow;
-- $9 most rows. Streams by the time of their oldest letter, those of one stream in its order.
select letter.id as letter_id, letter.subscription as consumer, letter.fingerprint, letter.event_id, letter.event_type,
    letter.state
from dead_letter letter
where ($1::text is null or letter.subscription = $1)
    and ($2::text is null or letter.fingerprint = $2)
    and ($3::text is null or letter.event_type = $3)
    and ($4::text is null or letter.stream_id = $4)
    and ($5::timestamptz is null or letter.last_failed_at >= $5)
    and ($6::timestamptz is null or letter.last_failed_at < $6)
    and ($7::text is null or letter.state = $7)
    and ($8::uuid[] is null or letter.id = any($8))
order by
    min(letter.first_failed_at) over (partition by letter.subscription, coalesce(letter.stream_id, letter.id::text)),
    letter.subscription, coalesce(letter.stream_id, letter.id::text) collate "C", letter.version, letter.id
limit $9
