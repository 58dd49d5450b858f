-- $1 subscription, $2 source, $3 partition, $4 epoch. No row: an older owner, or the subscription is held.
select true
from checkpoint
where subscription = $1 and source = $2 and partition = $3 and epoch = $4
    and not exists (
        select from subscription_control where subscription = $1 and (paused_at is not null or tripped_at is not null)
    )
