-- $1 name, $2 version, $3 number; then one element an event: $4 stream, $5 its version.
insert into rebuild_left_out (name, version, number, stream_id, stream_version)
select $1, $2, $3, stream_id, stream_version from unnest($4::text[], $5::integer[]) as events(stream_id, stream_version)
on conflict do nothing
