-- $1 subscription; then one element a stream: $2 stream, $3 version. Answers with the streams nothing was seen of before;
-- the others stay as they were.
insert into stream_seen (subscription, stream_id, version)
select $1, stream_id, version from unnest($2::text[], $3::integer[]) as seen(stream_id, version)
order by stream_id collate "C"
on conflict (subscription, stream_id) do nothing
returning stream_id
