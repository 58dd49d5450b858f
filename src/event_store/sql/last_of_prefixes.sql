-- $1 partition, $2 position up to which to look, $3 stream prefixes.
select position
from log
where partition = $1 and position <= $2 and split_part(stream_id, ':', 1) = any($3::text[])
order by position desc
limit 1
