-- $1 name, $2 version, $3 number.
select stream_id, stream_version
from rebuild_left_out
where name = $1 and version = $2 and number = $3
order by stream_id, stream_version
