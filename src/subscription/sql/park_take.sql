-- $1 subscription, $2 who takes it, $3 for how many seconds.
update parked_stream
set runs_as = $2, runs_until = clock_timestamp() + make_interval(secs => $3)
where subscription = $1 and stream_id = (
    select stream_id
    from parked_stream
    where subscription = $1 and due_at <= clock_timestamp() and (runs_until is null or runs_until < clock_timestamp())
    order by due_at
    limit 1
    for update skip locked
)
returning stream_id, source, partition, retries, class
