-- $1 subscription, $2 event, $3 the letter its stream waits behind or null. The open letter that is in the event's way:
-- its own, if there is one.
select id, stream_id, version, event_type, class, error, last_failed_at
from dead_letter
where subscription = $1 and state = 'open' and (event_id = $2 or id = $3)
order by event_id = $2 desc nulls last
limit 1
