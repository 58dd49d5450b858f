-- $1 subscription, $2 source, $3 partition, $4 owner. The newest owner wins: Kafka's group decides who that is.
insert into checkpoint (subscription, source, partition, epoch, owner) values ($1, $2, $3, 1, $4)
on conflict (subscription, source, partition) do update
set epoch = checkpoint.epoch + 1, owner = excluded.owner, lease_until = null
returning epoch, next_offset, position
