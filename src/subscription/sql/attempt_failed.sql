-- $1 subscription, $2 event, $3 source, $4 partition, $5 stream, $6 class, $7 error. Another class begins its budget anew.
insert into event_attempt (subscription, event_id, source, partition, stream_id, class, error, tries, attempts,
    first_failed_at, last_failed_at)
values ($1, $2, $3, $4, $5, $6, $7, 1, 1, clock_timestamp(), clock_timestamp())
on conflict (subscription, event_id) do update
set tries = case when event_attempt.class = excluded.class then event_attempt.tries + 1 else 1 end,
    attempts = event_attempt.attempts + 1, class = excluded.class, error = excluded.error,
    first_failed_at = case when event_attempt.attempts = 0 then excluded.first_failed_at
        else event_attempt.first_failed_at end,
    last_failed_at = excluded.last_failed_at, runs_as = null
returning tries, attempts, deaths, first_failed_at, last_failed_at
