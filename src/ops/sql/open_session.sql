-- $1 hash, $2 caller, $3 role, $4 sha256 of the token, $5 seconds. Those that ended a day ago go with it.
with forgotten as (
    delete from ops_session where expires_at < clock_timestamp() - interval '1 day'
)
insert into ops_session (hash, caller, role, token_sha256, expires_at)
values ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5))
returning expires_at
