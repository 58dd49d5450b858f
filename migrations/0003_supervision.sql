-- owner: supervision
-- What happened to which actor, in which process, and why: written by supervision::history from what each process
-- remembers, a few seconds late; the newest rows are kept, how many is a setting.

create table supervision_fact (
    fact_id uuid primary key,
    at timestamptz not null,
    node text not null,
    path text not null,
    kind text not null,
    what text not null check (what in ('started', 'stopped', 'crashed', 'backing_off', 'restarted', 'escalated')),
    why text not null,
    cause text check (cause in ('poison', 'dependency_down', 'bug')),
    backoff_ms bigint check (backoff_ms >= 0),
    budget_left integer check (budget_left >= 0)
);
comment on column supervision_fact.fact_id is 'Ordered by time, so that it also says which rows are the newest.';
