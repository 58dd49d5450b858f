-- $1 subscription, $2 source, $3 partition, $4 the new owner. Events of parked streams are charged by whoever takes the
-- stream next: their runner need not be the owner of the partition.
update event_attempt a
set deaths = deaths + case when runs_as = $4 then 0 else 1 end, runs_as = null
where subscription = $1 and source = $2 and partition = $3 and runs_as is not null
    and not exists (
        select from parked_stream p where p.subscription = a.subscription and p.stream_id = a.stream_id
    )
