-- owner: ops
-- A login at the operators' page: written by the process that saw the token, read by all, so that it holds on any node and
-- ends on all of them at once. It holds hashes only: whoever reads this table can log in nowhere.

create table ops_session (
    hash bytea primary key,
    caller text not null,
    role text not null,
    token_sha256 text not null,
    opened_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    constraint ops_session_hash_is_sha256 check (octet_length(hash) = 32)
);
create index ops_session_by_end on ops_session (expires_at);
comment on table ops_session is 'Logins of operators, by the hash of the cookie. Rows go a day after they have ended.';
