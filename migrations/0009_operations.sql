-- owner: ops
-- What operators did: who, what, why, on which plan. A row is written in the transaction of the effect, so that neither
-- is there without the other. Plans wait for their confirmation and go by age.

create table operation (
    operation_id uuid primary key,
    at timestamptz not null default clock_timestamp(),
    caller text not null,
    role text not null,
    action text not null,
    reason text not null,
    args text not null,
    plan text not null,
    outcome text not null,
    node text not null
);
create index operation_by_time on operation (at desc);

create table operation_plan (
    plan_id uuid primary key,
    made_at timestamptz not null default clock_timestamp(),
    caller text not null,
    action text not null,
    args text not null,
    plan text not null
);
comment on table operation_plan is 'Plans made by a dry run: executed as they were frozen, or forgotten after an hour.';
