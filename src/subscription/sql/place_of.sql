-- $1 subscription, $2 source, $3 partition. Where it stands and who works there.
select position, owner, moved_at, coalesce(lease_until < clock_timestamp(), false) as has_run_out
from checkpoint
where subscription = $1 and source = $2 and partition = $3
