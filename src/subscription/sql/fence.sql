-- $1 subscription, $2 source, $3 partition, $4 epoch, $5 next offset, $6 position, $7 lease in seconds or null.
-- No row: an older owner, or the subscription is held.
update checkpoint
set next_offset = $5, position = greatest(position, $6), moved_at = clock_timestamp(),
    lease_until = clock_timestamp() + make_interval(secs => $7)
where subscription = $1 and source = $2 and partition = $3 and epoch = $4
    and not exists (
        select from subscription_control where subscription = $1 and (paused_at is not null or tripped_at is not null)
    )
returning position
