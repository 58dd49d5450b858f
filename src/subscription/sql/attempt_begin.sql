-- $1 subscription, $2 event, $3 source, $4 partition, $5 stream, $6 who runs it. A row that says that somebody else runs
-- it is left over from a process that ended then. Not flushed: it is to outlive the process, and what a server forgets that
-- crashes charges nobody.
insert into event_attempt (subscription, event_id, source, partition, stream_id, class, first_failed_at, last_failed_at,
    runs_as)
select $1, $2, $3, $4, $5, '', clock_timestamp(), clock_timestamp(), $6
from set_config('synchronous_commit', 'off', true)
on conflict (subscription, event_id) do update
set deaths = event_attempt.deaths
        + case when event_attempt.runs_as is not null and event_attempt.runs_as <> excluded.runs_as then 1 else 0 end,
    runs_as = excluded.runs_as
returning tries, attempts, deaths, first_failed_at, last_failed_at
