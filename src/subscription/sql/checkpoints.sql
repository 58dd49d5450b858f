-- Every checkpoint, for operators.
select subscription, source, partition, next_offset, position, epoch, owner, lease_until, moved_at
from checkpoint
order by subscription, source, partition
