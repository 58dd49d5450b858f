-- $1 events. What each subscription's ledger says of each, and the letter it became.
select l.event_id, l.subscription as consumer, l.state, l.source as topic, l.partition, l.source_offset as "offset", l.at,
    l.duplicates, l.last_cause, d.id as letter_id
from processed_event l
left join dead_letter d on d.subscription = l.subscription and d.event_id = l.event_id
where l.event_id = any ($1)
