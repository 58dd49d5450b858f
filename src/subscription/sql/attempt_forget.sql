-- $1 age in seconds.
delete from event_attempt a
where last_failed_at < clock_timestamp() - make_interval(secs => $1) and runs_as is null
    and not exists (
        select from parked_stream p where p.subscription = a.subscription and p.stream_id = a.stream_id
    )
