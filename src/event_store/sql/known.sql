-- $1 partition, $2 positions, $3 streams, $4 versions. Numbers (from 1) of those the log knows at just that place.
select asked.no
from unnest($2::bigint[], $3::text[], $4::integer[]) with ordinality as asked(position, stream_id, version, no)
join log on log.partition = $1 and log.position = asked.position
where log.stream_id = asked.stream_id and log.version = asked.version
