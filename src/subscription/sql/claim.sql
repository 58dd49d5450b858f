-- $1 subscription, $2 source, $3 partition, $4 owner. The newest owner wins: Kafka's group decides who that is. An owner that
-- has not given it back has ended uncleanly; the second within five minutes that moved nothing makes what follows suspect,
-- as far as it was there before the first: unclean_at stays then.
with before as (
    select owner is not null and owner <> $4 as is_unclean,
        suspect or coalesce(owner is not null and owner <> $4
            and unclean_at > clock_timestamp() - interval '5 minutes' and unclean_next = next_offset, false) as is_suspect
    from checkpoint
    where subscription = $1 and source = $2 and partition = $3
    for update
)
insert into checkpoint (subscription, source, partition, epoch, owner) values ($1, $2, $3, 1, $4)
on conflict (subscription, source, partition) do update
set epoch = checkpoint.epoch + 1, owner = excluded.owner, lease_until = null,
    suspect = coalesce((select is_suspect from before), false),
    unclean_at = case when (select is_unclean and not is_suspect from before) then clock_timestamp()
        else checkpoint.unclean_at end,
    unclean_next = case when (select is_unclean and not is_suspect from before) then checkpoint.next_offset
        else checkpoint.unclean_next end
returning epoch, next_offset, position, coalesce(sought_until, 0) as sought_until,
    case when suspect then unclean_at end as suspect_before
