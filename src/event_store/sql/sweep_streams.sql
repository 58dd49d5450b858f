-- $1 after this stream, $2 up to this one, $3 types, $4 the last position of each partition. In no order.
select position, stream_id, version, event_type, recorded_at, payload
from log
where stream_id > $1 and stream_id <= $2 and event_type = any($3::text[])
    and position <= ($4::bigint[])[partition + 1]
