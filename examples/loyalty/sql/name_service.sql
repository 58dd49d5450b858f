-- $1 the service's role, for grant.sql: a grant takes no binds.
select set_config('loyalty.service', $1, true)
