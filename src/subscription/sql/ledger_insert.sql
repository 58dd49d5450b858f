-- $1 subscription, $2 source, $3 partition; then one element an event: $4 id, $5 state, $6 offset.
-- Answers with the ids that were not known.
insert into processed_event (subscription, event_id, state, source, partition, source_offset)
select $1, event_id, state, $2, $3, source_offset
from unnest($4::uuid[], $5::text[], $6::bigint[]) as seen(event_id, state, source_offset)
order by event_id
on conflict (subscription, event_id) do nothing
returning event_id
