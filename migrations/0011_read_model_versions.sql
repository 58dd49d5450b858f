-- owner: read_model
-- A read model has several tables over time: one for each version, of which one is active. `version` is that of the code
-- that folds it, `number` counts the tables made by that code: version 2.3 is the third table of version 2 of the code.

alter table read_model
    add column number integer not null default 1 check (number >= 1),
    add column state text not null default 'attached' check (state in ('building', 'attached', 'detached', 'retired')),
    add column is_active boolean not null default false,
    add column left_at timestamptz,
    add column detached_at timestamptz,
    add column why text;
update read_model set is_active = true;
alter table read_model alter column number drop default, alter column state drop default;
alter table read_model drop constraint read_model_pkey;
alter table read_model add primary key (name, version, number);
create unique index read_model_active on read_model (name) where is_active;
comment on column read_model.state is 'building: written by its rebuild; attached: written by every transaction that writes the model; detached: written by nobody; retired: its table is gone.';
comment on column read_model.left_at is 'When another version became active instead.';

create table rebuild (
    name text not null,
    version smallint not null,
    number integer not null,
    phase text not null check (phase in ('prepare', 'bulk', 'index', 'catch_up', 'verify', 'ready', 'ended')),
    workers integer not null check (workers between 1 and 64),
    rate integer not null check (rate >= 0),
    started_by text not null,
    started_why text not null,
    started_at timestamptz not null default clock_timestamp(),
    paused_at timestamptz,
    paused_by text,
    paused_why text,
    held_why text,
    failed_at timestamptz,
    failed_why text,
    events_total bigint not null default 0,
    events_done bigint not null default 0,
    at_event timestamptz,
    bulk_began_at timestamptz,
    bulk_ended_at timestamptz,
    attached_at timestamptz,
    compare_after text,
    rows_compared bigint not null default 0,
    rows_different bigint not null default 0,
    verified_at timestamptz,
    runs_as uuid,
    runs_until timestamptz,
    primary key (name, version, number),
    foreign key (name, version, number) references read_model (name, version, number) on delete cascade
) with (fillfactor = 50);
comment on table rebuild is 'How a version of a read model is made. rate: events a second, 0 for as many as can be; held_why: why it waits by itself, such as live views that are behind.';

create table rebuild_piece (
    name text not null,
    version smallint not null,
    number integer not null,
    piece integer not null,
    partition smallint,
    after text collate "C" not null,
    upto text collate "C",
    done_at timestamptz,
    primary key (name, version, number, piece),
    foreign key (name, version, number) references rebuild (name, version, number) on delete cascade
);
comment on table rebuild_piece is 'What the bulk phase folds in one transaction: streams after one and up to another, or positions of a partition. Done in the transaction that writes its rows.';

create table rebuild_place (
    name text not null,
    version smallint not null,
    number integer not null,
    partition smallint not null,
    position bigint not null check (position >= 0),
    primary key (name, version, number, partition),
    foreign key (name, version, number) references rebuild (name, version, number) on delete cascade
) with (fillfactor = 50);
comment on table rebuild_place is 'How far a version that is not attached yet has folded each partition of the log.';

create table rebuild_left_out (
    name text not null,
    version smallint not null,
    number integer not null,
    stream_id text collate "C" not null,
    stream_version integer not null,
    primary key (name, version, number, stream_id, stream_version),
    foreign key (name, version, number) references rebuild (name, version, number) on delete cascade
);
comment on table rebuild_left_out is 'Events that the model''s consumer held back when they were passed: set aside, or given up. Those it applies before the attach are folded there.';

create table rebuild_difference (
    name text not null,
    version smallint not null,
    number integer not null,
    key text not null,
    active_row jsonb,
    own_row jsonb,
    primary key (name, version, number, key),
    foreign key (name, version, number) references rebuild (name, version, number) on delete cascade
);
comment on table rebuild_difference is 'Rows that differed between the active version and this one when they were compared, the first of them.';

create table read_model_code (
    node_id uuid not null,
    node text not null,
    name text not null,
    version smallint not null,
    seen_at timestamptz not null default clock_timestamp(),
    primary key (node_id, name, version)
) with (fillfactor = 50);
comment on table read_model_code is 'Which versions of which read models each running process can fold. Not attached is what a running process cannot write.';

-- The lock is shared with other writers; a switch of versions takes it alone. A volatile function reads with a snapshot of
-- its own after the lock is granted, which one statement could not.
create function share_read_models(names text[])
returns table (name text, version smallint, number integer, is_active boolean)
language plpgsql volatile as $$
#variable_conflict use_column
begin
    perform pg_advisory_xact_lock_shared(hashtextextended('read_model/' || model, 0))
    from (select unnest(names) as model order by 1) as models;
    return query
    select read_model.name, read_model.version, read_model.number, read_model.is_active
    from read_model
    where read_model.name = any(names) and read_model.state = 'attached'
    order by read_model.name, read_model.is_active desc, read_model.version, read_model.number;
end
$$;
comment on function share_read_models is 'First statement of every transaction that writes read models: which versions it has to write, the active one first.';

-- The place of a view is that of the read model, whichever versions there are.
update checkpoint set subscription = regexp_replace(subscription, '_v[0-9]+$', '') where source = 'log' and subscription like '%\_view\_v1';

-- One active version a model, by a unique index, which one statement over both rows could violate on its way.
create function switch_read_model(model text, from_version smallint, from_number integer, to_version smallint, to_number integer)
returns boolean
language plpgsql volatile as $$
begin
    perform from read_model
    where name = model and version = to_version and number = to_number and state = 'attached' and not is_active;
    if not found then
        return false;
    end if;
    update read_model set is_active = false, left_at = clock_timestamp()
    where name = model and version = from_version and number = from_number and is_active;
    if not found then
        return false;
    end if;
    update read_model set is_active = true, left_at = null
    where name = model and version = to_version and number = to_number;
    return true;
end
$$;
