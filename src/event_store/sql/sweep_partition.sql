-- $1 partition, $2 after this position, $3 up to this one, $4 types, $5 most rows.
select position, stream_id, version, event_type, recorded_at, payload
from log
where partition = $1 and position > $2 and position <= $3 and event_type = any($4::text[])
order by position
limit $5
