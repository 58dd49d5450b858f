-- $1 letter.
select letter.id, letter.subscription, letter.event_id, letter.source, letter.partition, letter.source_offset,
    letter.source_time, letter.stream_id, letter.version, letter.position, letter.event_type, letter.record_key,
    letter.payload, letter.header_names, letter.header_values, letter.class, letter.stage, letter.error_type, letter.error,
    letter.attempts, letter.first_failed_at, letter.last_failed_at, letter.build, letter.fingerprint, letter.origin,
    letter.replays, letter.history, letter.outcome_no, letter.state, letter.patch, letter.ended_at, letter.ended_by,
    letter.ended_why, letter.published, coalesce(parked.depth, 0) as waiting
from dead_letter letter
left join parked_stream parked on parked.subscription = letter.subscription and parked.stream_id = letter.stream_id
    and parked.letter_id = letter.id
where letter.id = $1
