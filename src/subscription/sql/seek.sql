-- $1 subscription, $2 source, $3 partition, $4 next offset. Whoever works there has an older epoch from now on, and what
-- was applied stays applied: the position does not move.
update checkpoint
set next_offset = $4, epoch = epoch + 1,
    sought_until = case when $4 < next_offset then greatest(sought_until, next_offset) else sought_until end
where subscription = $1 and source = $2 and partition = $3
returning epoch
