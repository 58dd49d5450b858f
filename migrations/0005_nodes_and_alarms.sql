-- owner: supervision
-- Which processes there are, what their actors do, and what is wrong: so that any of them shows all of them. A process
-- writes its own rows, every second; times are this server's, so that a node whose clock is wrong is seen as such.

create table node (
    node_id uuid primary key,
    name text not null,
    roles text[] not null,
    build text not null,
    address text not null,
    started_at timestamptz not null default clock_timestamp(),
    heartbeat_at timestamptz not null default clock_timestamp(),
    stopped_at timestamptz,
    clock_ahead_ms bigint not null
) with (fillfactor = 50);
comment on column node.clock_ahead_ms is 'How far the clock of the node is ahead of this server''s; negative if behind.';

create table node_summary (
    node_id uuid primary key references node on delete cascade,
    at timestamptz not null default clock_timestamp(),
    tree text not null,
    workload text not null
) with (fillfactor = 50);
comment on table node_summary is 'The actors of each process and what each kind has to do, as JSON, a few seconds old.';

create table alarm (
    alarm_id uuid primary key,
    node_id uuid not null,
    node text not null,
    code text not null,
    place text not null,
    why text not null,
    times bigint not null check (times >= 1),
    raised_at timestamptz not null,
    last_at timestamptz not null,
    ended_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    acknowledged_why text
);
comment on table alarm is 'One row from an alarm''s beginning to its end at one place, as one process saw it.';
create index alarm_open on alarm (raised_at) where acknowledged_at is null;
