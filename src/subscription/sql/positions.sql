-- $1 subscription, $2 source, $3 number of partitions. In the order of the partitions.
select coalesce(checkpoint.position, 0)
from generate_series(0, $3 - 1) as wanted(partition)
left join checkpoint on subscription = $1 and source = $2 and checkpoint.partition = wanted.partition
order by wanted.partition
