-- Two processes that start at once would both find nothing and both make it.
select pg_advisory_xact_lock(hashtext('loyalty.points'))
