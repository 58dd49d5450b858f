-- owner: subscription
-- What becomes of events that cannot be applied now: tried again, parked with their stream, dead-lettered, replayed or
-- discarded; and what operators have asked of a subscription. All of it rows, so that a crash forgets nothing.

-- The ledger says of each event what became of it, and how often it came again.
alter table processed_event rename column next_offset to source_offset;
alter table processed_event drop constraint processed_event_state;
alter table processed_event add constraint processed_event_state
    check (state in ('applied', 'parked', 'dead', 'discarded'));
alter table processed_event
    add column duplicates integer not null default 0 check (duplicates >= 0),
    add column last_cause text check (last_cause in ('redelivery', 'republication', 'replay'));
comment on column processed_event.last_cause is 'Why it came again last: read twice, published twice, or an operator moved the place back.';

alter table checkpoint
    add column sought_until bigint,
    add column unclean_at timestamptz,
    add column unclean_next bigint,
    add column suspect boolean not null default false;
comment on column checkpoint.sought_until is 'An operator moved the place back from here: what comes again before it, comes because of that.';
comment on column checkpoint.unclean_at is 'When the place was last taken from a process that had not given it back; unclean_next is where it stood.';
comment on column checkpoint.suspect is 'Two processes ended here and moved nothing: the batch runs event by event.';

create table subscription_count (
    subscription text not null,
    source text not null,
    partition smallint not null,
    applied bigint not null default 0,
    skipped bigint not null default 0,
    redelivered bigint not null default 0,
    republished bigint not null default 0,
    replayed bigint not null default 0,
    parked bigint not null default 0,
    letters bigint not null default 0,
    retries bigint not null default 0,
    primary key (subscription, source, partition)
) with (fillfactor = 10);
comment on table subscription_count is 'What each partition has seen since ever. skipped: of types it does not read; redelivered, republished, replayed: duplicates by cause; parked: set aside behind a failure; retries: transactions that were rolled back.';

create table event_attempt (
    subscription text not null,
    event_id uuid not null,
    source text not null,
    partition smallint not null,
    stream_id text collate "C" not null,
    class text not null,
    tries integer not null default 0 check (tries >= 0),
    attempts integer not null default 0 check (attempts >= 0),
    deaths integer not null default 0 check (deaths >= 0),
    error text not null default '',
    first_failed_at timestamptz not null,
    last_failed_at timestamptz not null,
    runs_as uuid,
    primary key (subscription, event_id)
) with (fillfactor = 50);
comment on table event_attempt is 'Tries of events that failed alone. tries: in a row with this class; attempts: in all; deaths: processes that ended while it ran alone; runs_as: who runs it alone right now, written before.';
create index event_attempt_running on event_attempt (subscription, source, partition) where runs_as is not null;

create table parked_stream (
    subscription text not null,
    stream_id text collate "C" not null,
    source text not null,
    partition smallint not null,
    letter_id uuid,
    class text not null,
    error text not null,
    retries integer not null default 0 check (retries >= 0),
    due_at timestamptz,
    depth integer not null check (depth >= 0),
    runs_as uuid,
    runs_until timestamptz,
    parked_at timestamptz not null default clock_timestamp(),
    primary key (subscription, stream_id),
    constraint parked_stream_waits check ((letter_id is null) = (due_at is not null))
) with (fillfactor = 50);
comment on table parked_stream is 'Streams set aside for one subscription. Either its head is tried again at due_at, or its head is the dead letter letter_id and its followers wait for an operator. depth: rows in parked_event.';
create index parked_stream_due on parked_stream (subscription, due_at) where due_at is not null;

create table parked_event (
    subscription text not null,
    stream_id text collate "C" not null,
    version integer not null,
    event_id uuid not null,
    source text not null,
    partition smallint not null,
    source_offset bigint not null,
    source_time timestamptz,
    record_key bytea,
    payload bytea not null,
    header_names text[] not null,
    header_values bytea[] not null,
    parked_at timestamptz not null default clock_timestamp(),
    primary key (subscription, stream_id, version)
);
comment on table parked_event is 'Events of parked streams, in stream order, each as the record it came in.';

create table subscription_control (
    subscription text primary key,
    paused_at timestamptz,
    paused_by text,
    paused_why text,
    tripped_at timestamptz,
    tripped_why text,
    answered_no bigint not null default 0
);
comment on column subscription_control.answered_no is 'How many events had been applied or given up when an operator last resumed it: letters up to there count no more.';
comment on table subscription_control is 'What holds a subscription: an operator''s pause, or the breaker. Every transaction of a consumer looks here.';

alter table dead_letter
    add column state text not null default 'open' check (state in ('open', 'resolved', 'discarded')),
    add column fingerprint text not null default '',
    add column origin text not null default '',
    add column patch text,
    add column replays integer not null default 0 check (replays >= 0),
    add column history text not null default '[]',
    add column outcome_no bigint,
    add column ended_at timestamptz,
    add column ended_by text,
    add column ended_why text;
comment on column dead_letter.fingerprint is 'The same for letters of the same error type, stage, event type and origin.';
comment on column dead_letter.patch is 'JSON patch (RFC 6902) applied to the payload by a replay; the payload itself stays as it came.';
comment on column dead_letter.history is 'Failures after the first, newest last, as JSON, five at most.';
comment on column dead_letter.outcome_no is 'How many events its subscription had applied or given up, with this one: what the breaker counts by.';
create index dead_letter_open on dead_letter (subscription, last_failed_at desc) where state = 'open';
create index dead_letter_by_outcome on dead_letter (subscription, outcome_no desc);

create table replay (
    replay_id uuid primary key,
    subscription text not null,
    requested_at timestamptz not null default clock_timestamp(),
    requested_by text not null,
    why text not null,
    per_second real not null check (per_second > 0),
    total integer not null,
    done integer not null default 0,
    state text not null default 'running' check (state in ('running', 'done', 'stopped', 'failed')),
    ended_at timestamptz,
    ended_why text
);
create index replay_running on replay (subscription, requested_at) where state = 'running';
create table replay_letter (
    replay_id uuid not null references replay on delete cascade,
    ordinal integer not null,
    letter_id uuid not null,
    done_at timestamptz,
    outcome text,
    primary key (replay_id, ordinal)
);
comment on table replay is 'Letters on their way back to their own consumer, in order, at a bounded rate; the first failure ends it.';

create table fault_rule (
    rule_id uuid primary key,
    subscription text not null,
    kind text not null check (kind in ('poison', 'permanent', 'transient', 'panic', 'abort', 'slow')),
    pointer text not null,
    equals text not null,
    times integer check (times > 0),
    millis integer check (millis > 0),
    made_at timestamptz not null default clock_timestamp(),
    made_by text not null
);
comment on table fault_rule is 'The fault panel: events whose payload holds the text equals at the JSON pointer fail. Read only where the panel is enabled. times: failures of one event before it succeeds; null for ever.';
