-- $1 partition, $2 position after which to look, $3 most rows. One key range of the log, with what must hold in it.
select position, stream_id, version, partition_key
from log
where partition = $1 and position > $2
order by position
limit $3
