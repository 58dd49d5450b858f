-- $1 name, $2 version, $3 number; then one element an event: $4 stream, $5 its version.
delete from rebuild_left_out
using unnest($4::text[], $5::integer[]) as events(stream_id, stream_version)
where name = $1 and version = $2 and number = $3
    and (rebuild_left_out.stream_id, rebuild_left_out.stream_version) = (events.stream_id, events.stream_version)
