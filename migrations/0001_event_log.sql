-- owner: event_store
-- The log: everything that ever happened, per partition in commit order without holes. Written by event_store::append
-- alone; never updated, never deleted.

create table log_head (
    partition smallint primary key check (partition >= 0),
    position bigint not null default 0 check (position >= 0)
) with (fillfactor = 10);
comment on table log_head is 'Head of each log partition; its row lock orders the commits. As many rows as partitions, for ever.';

create table log (
    partition smallint not null,
    position bigint not null,
    append_id uuid not null,
    stream_id text collate "C" not null,
    version integer not null check (version > 0),
    partition_key text not null,
    event_type text not null,
    schema_version smallint not null,
    payload text not null,
    meta text not null,
    recorded_at timestamptz not null,
    constraint log_position primary key (partition, position),
    constraint log_stream_version unique (stream_id, version)
);

-- The slow way of an append, taken after a conflict. It locks the heads first and decides in a later statement, whose
-- snapshot is therefore as fresh as the lock; an append of which any event exists already is refused whole, unless its
-- own append_id wrote it, in which case it is the one whose outcome was lost.
create function log_append_checked(
    append_ids uuid[], streams text[], partitions smallint[], first_versions integer[], event_counts integer[],
    row_appends integer[], row_versions integer[], row_partition_keys text[], row_event_types text[],
    row_schema_versions smallint[], row_payloads text[], row_metas text[]
) returns table (append_no integer, accepted boolean, first_position bigint, recorded_at timestamptz)
language plpgsql volatile as $$
#variable_conflict use_column
begin
    perform 1 from log_head where partition = any(partitions) order by partition for update;
    return query
    with asked as (
        select no::integer, append_id, stream_id, partition, first_version, events
        from unnest(append_ids, streams, partitions, first_versions, event_counts) with ordinality
            as a(append_id, stream_id, partition, first_version, events, no)
    ), known as (
        select a.no, bool_and(l.append_id = a.append_id) as own, min(l.position) as first_position,
            min(l.recorded_at) as recorded_at
        from asked a
        join log l on l.stream_id = a.stream_id and l.version >= a.first_version
            and l.version < a.first_version + a.events
        group by a.no
    ), fresh as (
        select r.*, a.append_id, a.stream_id, a.partition,
            row_number() over (partition by a.partition order by r.append, r.version) as ordinal
        from unnest(row_appends, row_versions, row_partition_keys, row_event_types, row_schema_versions,
                row_payloads, row_metas)
            as r(append, version, partition_key, event_type, schema_version, payload, meta)
        join asked a on a.no = r.append
        where not exists (select 1 from known k where k.no = a.no)
    ), moved as (
        update log_head h set position = h.position + c.events
        from (select partition, count(*) as events from fresh group by partition) c
        where h.partition = c.partition
        returning h.partition, h.position - c.events as base, clock_timestamp() as recorded_at
    ), inserted as (
        insert into log (partition, position, append_id, stream_id, version, partition_key, event_type,
            schema_version, payload, meta, recorded_at)
        select f.partition, m.base + f.ordinal, f.append_id, f.stream_id, f.version, f.partition_key, f.event_type,
            f.schema_version, f.payload, f.meta, m.recorded_at
        from fresh f join moved m on m.partition = f.partition
        returning append_id, position, recorded_at
    ), stored as (
        select a.no, min(i.position) as first_position, min(i.recorded_at) as recorded_at
        from inserted i join asked a on a.append_id = i.append_id
        group by a.no
    )
    select a.no, s.no is not null or coalesce(k.own, false), coalesce(s.first_position, k.first_position),
        coalesce(s.recorded_at, k.recorded_at)
    from asked a
    left join stored s on s.no = a.no
    left join known k on k.no = a.no
    order by a.no;
end
$$;
