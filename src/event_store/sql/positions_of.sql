-- $1 partition, $2 position after which to look, $3 position up to which, $4 stream prefixes, $5 event type or null.
select position
from log
where partition = $1 and position > $2 and position <= $3 and split_part(stream_id, ':', 1) = any($4::text[])
    and ($5::text is null or event_type = $5)
order by position
