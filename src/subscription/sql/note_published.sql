-- $1 subscription, $2 topics, $3 partition, $4 next offsets, $5 positions: how far each topic has been acknowledged.
insert into checkpoint (subscription, source, partition, next_offset, position)
select $1, topic, $3, next_offset, position
from unnest($2::text[], $4::bigint[], $5::bigint[]) as acknowledged(topic, next_offset, position)
on conflict (subscription, source, partition) do update
set next_offset = excluded.next_offset, position = excluded.position, moved_at = clock_timestamp()
