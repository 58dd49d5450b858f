-- $1 age in seconds, $2 most rows. Applied rows only: what is open or dead is never forgotten.
delete from processed_event
where ctid = any(array(
    select ctid from processed_event
    where state = 'applied' and at < clock_timestamp() - make_interval(secs => $1)
    limit $2
))
