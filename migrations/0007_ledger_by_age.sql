-- owner: subscription
-- The ledger forgets by source and age. A BRIN index tells age only while rows lie in the order of their arrival, which
-- ends when the room of what was forgotten is used again; this one finds the oldest rows of a source at once, always.

drop index processed_event_by_age;
create index processed_event_by_age on processed_event (source, at) where state = 'applied';

-- What was forgotten is cleared away often and quickly, so that the table stays as big as what it remembers.
alter table processed_event set (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_cost_limit = 2000
);
