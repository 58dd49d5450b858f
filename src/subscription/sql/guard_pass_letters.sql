-- $1 letters, $2 sources that hold streams in order. The guard of each stream moves past its letters, never back.
insert into stream_seen (subscription, stream_id, version)
select letter.subscription, letter.stream_id, max(letter.version)
from dead_letter letter
where letter.id = any($1::uuid[]) and letter.event_id is not null and letter.source = any($2::text[])
group by letter.subscription, letter.stream_id
order by letter.subscription, letter.stream_id collate "C"
on conflict (subscription, stream_id) do update set version = excluded.version
where stream_seen.version < excluded.version
