-- $1 streams, $2 the version of each. By stream and version.
select log.position, log.stream_id, log.version, log.event_type, log.recorded_at, log.payload
from unnest($1::text[], $2::integer[]) as asked(stream_id, version)
join log on log.stream_id = asked.stream_id and log.version = asked.version
order by log.stream_id, log.version
