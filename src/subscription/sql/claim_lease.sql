-- $1 subscription, $2 source, $3 partition, $4 owner, $5 time to live in seconds. No row while another's lease holds.
insert into checkpoint (subscription, source, partition, epoch, owner, lease_until)
values ($1, $2, $3, 1, $4, clock_timestamp() + make_interval(secs => $5))
on conflict (subscription, source, partition) do update
set epoch = checkpoint.epoch + 1, owner = excluded.owner, lease_until = excluded.lease_until
where checkpoint.owner is null or checkpoint.owner = excluded.owner or checkpoint.lease_until is null
    or checkpoint.lease_until < clock_timestamp()
returning epoch, next_offset, position
