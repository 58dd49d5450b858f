-- $1 subscription, $2 source, $3 partition. Locks the place until the transaction ends: nobody moves it meanwhile.
select next_offset, position, epoch, sought_until
from checkpoint
where subscription = $1 and source = $2 and partition = $3
for update
