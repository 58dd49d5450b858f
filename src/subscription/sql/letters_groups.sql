-- $1 consumer, $2 fingerprint, $3 event type, $4 stream, $5 since, $6 until, $7 state: null does not narrow;
-- $8 most groups.
select letter.subscription as consumer, letter.fingerprint, count(*) as letters,
    count(distinct letter.stream_id) as streams, coalesce(sum(parked.depth), 0)::bigint as waiting,
    min(letter.event_type) as event_type, min(letter.stage) as stage, min(letter.error_type) as error_type,
    min(letter.origin) as origin, (array_agg(left(letter.error, 160) order by letter.last_failed_at desc))[1] as error,
    min(letter.first_failed_at) as first_failed_at, max(letter.last_failed_at) as last_failed_at
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
group by letter.subscription, letter.fingerprint
order by letters desc, letter.subscription, letter.fingerprint
limit $8
