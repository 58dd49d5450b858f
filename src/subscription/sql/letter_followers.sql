-- $1 letter, $2 most rows. What waits behind it, in stream order; the type as its header says it.
select event.version, event.header_values[array_position(event.header_names, 'ce_type')] as event_type, event.event_id,
    event.parked_at
from dead_letter letter
join parked_stream stream on stream.subscription = letter.subscription and stream.stream_id = letter.stream_id
    and stream.letter_id = letter.id
join parked_event event on event.subscription = stream.subscription and event.stream_id = stream.stream_id
where letter.id = $1
order by event.version
limit $2
