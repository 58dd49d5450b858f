-- $1 subscription, $2 source, $3 partition, $4 owner. The newest owner wins: Kafka's group decides who that is. An owner that
-- has not given it back has ended uncleanly; the second within five minutes that moved nothing makes what follows suspect.
insert into checkpoint (subscription, source, partition, epoch, owner) values ($1, $2, $3, 1, $4)
on conflict (subscription, source, partition) do update
set epoch = checkpoint.epoch + 1, owner = excluded.owner, lease_until = null,
    suspect = checkpoint.suspect or coalesce(checkpoint.owner is not null and checkpoint.owner <> excluded.owner
        and checkpoint.unclean_at > clock_timestamp() - interval '5 minutes'
        and checkpoint.unclean_next = checkpoint.next_offset, false),
    unclean_at = case when checkpoint.owner is not null and checkpoint.owner <> excluded.owner then clock_timestamp()
        else checkpoint.unclean_at end,
    unclean_next = case when checkpoint.owner is not null and checkpoint.owner <> excluded.owner
        then checkpoint.next_offset else checkpoint.unclean_next end
returning epoch, next_offset, position, coalesce(sought_until, 0) as sought_until, suspect as is_suspect
