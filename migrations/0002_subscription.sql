-- owner: subscription
-- What every follower of events has done: its place, the events it knows, the streams it has seen, its dead letters.
-- Written in the transaction of the effect, so that place and effect are never apart.

create table checkpoint (
    subscription text not null,
    source text not null,
    partition smallint not null,
    next_offset bigint not null default 0,
    position bigint not null default 0,
    epoch bigint not null default 0,
    owner uuid,
    lease_until timestamptz,
    moved_at timestamptz not null default clock_timestamp(),
    primary key (subscription, source, partition)
) with (fillfactor = 10);
comment on table checkpoint is 'One row a subscription, source and partition. epoch fences an older owner; source is a topic, or log.';

create table processed_event (
    subscription text not null,
    event_id uuid not null,
    state text not null constraint processed_event_state check (state in ('applied', 'dead')),
    source text not null,
    partition smallint not null,
    next_offset bigint not null,
    at timestamptz not null default clock_timestamp(),
    primary key (subscription, event_id)
);
comment on table processed_event is 'The ledger: dedup by event id. Applied rows go by age, others never.';
create index processed_event_by_age on processed_event using brin (at);

create table stream_seen (
    subscription text not null,
    stream_id text collate "C" not null,
    version integer not null,
    primary key (subscription, stream_id)
) with (fillfactor = 70);
comment on table stream_seen is 'The guard: last version of each stream a consumer has passed.';

create table dead_letter (
    id uuid primary key,
    subscription text not null,
    event_id uuid,
    source text not null,
    partition smallint not null,
    source_offset bigint not null,
    source_time timestamptz,
    stream_id text,
    version integer,
    position bigint,
    event_type text,
    record_key bytea,
    payload bytea,
    header_names text[] not null,
    header_values bytea[] not null,
    class text not null,
    stage text not null,
    error_type text not null,
    error text not null,
    attempts integer not null,
    first_failed_at timestamptz not null,
    last_failed_at timestamptz not null,
    build text not null,
    published boolean not null default false,
    constraint dead_letter_once unique (subscription, source, partition, source_offset)
);
create index dead_letter_unpublished on dead_letter (subscription, last_failed_at) where not published;
