-- $1 subscription, $2 source, $3 partition, $4 next offset of the batch; then one element an event: $5 id, $6 state.
-- Answers with the ids that were not known.
insert into processed_event (subscription, event_id, state, source, partition, next_offset)
select $1, event_id, state, $2, $3, $4
from unnest($5::uuid[], $6::text[]) as seen(event_id, state)
order by event_id
on conflict (subscription, event_id) do nothing
returning event_id
