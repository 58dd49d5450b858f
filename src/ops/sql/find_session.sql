-- $1 hash.
select caller, role, token_sha256, expires_at from ops_session
where hash = $1 and ended_at is null and expires_at > clock_timestamp()
