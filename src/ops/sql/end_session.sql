-- $1 hash.
update ops_session set ended_at = clock_timestamp() where hash = $1 and ended_at is null
