-- $1 partitions, $2 positions. Number (from 1) of each place that an event follows, and when that event was appended.
select asked.no, log.recorded_at
from unnest($1::smallint[], $2::bigint[]) with ordinality as asked(partition, position, no)
join log on log.partition = asked.partition and log.position = asked.position + 1
