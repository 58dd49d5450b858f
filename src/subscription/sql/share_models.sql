-- $1 names of the read models this transaction writes. The lock is shared with other writers; a switch of versions
-- takes it alone.
select pg_advisory_xact_lock_shared(hashtextextended('read_model/' || name, 0))
from (select unnest($1::text[]) as name order by 1) as models
